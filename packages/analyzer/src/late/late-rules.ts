/**
 * Objects that a program opens by itself at run time, from directories that its code or its library knows.
 * A rule holds for programs whose path matches `program`, or that have an object of a name matching `soname`.
 */
export interface LateRule {
  /** Shown as the reason why an object is in a closure. */
  readonly reason: string;
  readonly program?: RegExp;
  readonly soname?: RegExp;
  /** Real path of the files that may be opened. */
  readonly files: RegExp;
  /** Only files under the directory that holds the program's own, as `bin/java` and `lib/` of one Java home. */
  readonly besideProgram?: true;
  /** Configuration that says which of the files are opened; where it is there and cannot be read, all are. */
  readonly selected?: {
    readonly configuration: RegExp;
    /** What an image without configuration opens: a server is then given its own when it is run. */
    readonly otherwise: 'all' | 'none';
    /** Its first group is a file's name, with or without directory and suffix. Flags `gm`. */
    readonly names: RegExp;
  };
}

/**
 * Where each host looks comes from its documentation or source and from how Debian, Alpine, Fedora and the
 * official images lay it out.
 */
export const lateRules: readonly LateRule[] = [
  {
    reason: 'Python imports extension modules from lib-dynload and the site directories',
    program: /\/(python|pypy)[23]?(\.\d+)*[a-z]*(-dbg)?$/,
    soname: /^lib(python[23]|pypy3?-c)/,
    files: /\/(lib-dynload|site-packages|dist-packages)\/.*\.so$/,
  },
  {
    reason: 'Perl loads the compiled part of a module from its auto directory',
    program: /\/perl[\d.]*$/,
    soname: /^libperl\.so/,
    files: /\/perl[^/]*\/(.*\/)?auto\/.*\.so$/,
  },
  {
    reason: 'Ruby requires extensions from its library and gem directories',
    program: /\/j?ruby[\d.]*$/,
    soname: /^libruby/,
    files: /\/(ruby|gems|extensions|bundle)\/.*\.so$/,
  },
  {
    reason: 'PHP loads the extensions that its ini files name',
    program: /\/php[-a-z\d.]*$/,
    soname: /^libphp/,
    files: /\/php\d*\/(.*\/)?[^/]+\.so$/,
    selected: {
      configuration: /\/php[^/]*\/.*\.ini$/,
      otherwise: 'none',
      names: /^\s*(?:zend_)?extension\s*=\s*"?([^\s;"]+)/gm,
    },
  },
  {
    reason: 'Apache loads the modules that its configuration names',
    program: /\/(apache2|httpd)$/,
    files: /\/(apache2|httpd)\/modules\/[^/]+\.so$/,
    selected: {
      configuration: /\/(etc\/(apache2|httpd)|apache2\/conf)\/.*(\.conf|\.load)$/,
      otherwise: 'all',
      names: /^\s*LoadModule\s+\S+\s+"?([^\s"]+)/gim,
    },
  },
  {
    reason: 'nginx loads the modules that its configuration names',
    program: /\/(nginx|nginx-debug|openresty)$/,
    files: /\/nginx\/modules\/[^/]+\.so$/,
    selected: {
      configuration:
        /^\/(etc\/nginx|usr\/local\/(openresty\/)?nginx\/conf|usr\/share\/nginx\/modules(-available)?)\/.*\.conf$/,
      otherwise: 'all',
      names: /^\s*load_module\s+["']?([^\s;"']+)/gm,
    },
  },
  {
    reason: 'PostgreSQL loads extensions and its JIT from its library directory',
    program: /\/postgres$/,
    files: /\/(postgresql|pgsql)[^/]*\/.*\.so$/,
  },
  {
    reason: 'MySQL and MariaDB load plugins from their plugin directory',
    program: /\/(mysqld|mariadbd|mariadb|mysql)[-a-z]*$/,
    soname: /^lib(mysqlclient|mariadb)\.so/,
    files: /\/(mysql|(lib)?mariadb\d*)\/plugin\/[^/]+\.so$/,
  },
  {
    reason: 'Redis and Valkey load modules from their module directory',
    program: /\/(redis|valkey)-server$/,
    files: /\/(redis|valkey)\/modules\/[^/]+\.so$/,
  },
  {
    reason: 'Java loads the native libraries of its home',
    program: /\/(java|javac|jshell|jcmd|keytool)$/,
    files: /\/lib\/.*\.so$/,
    besideProgram: true,
  },
  {
    reason: 'Node.js requires native addons',
    program: /\/(node|nodejs)[\d.]*$/,
    files: /\.node$/,
  },
  {
    reason: 'Erlang loads native code from the priv directory of an application',
    program: /\/(beam|beam\.smp|erl|erlexec)$/,
    files: /\/priv\/.*\.so$/,
  },
  {
    reason: '.NET loads the native libraries of its runtime',
    program: /\/dotnet$/,
    files: /\/dotnet\/.*\.so$/,
  },
  {
    reason: 'Lua requires compiled modules',
    program: /\/(lua|luajit|texlua|lighttpd|haproxy)[-\d.]*$/,
    soname: /^liblua/,
    files: /\/lua\/5\.\d\/.*\.so$/,
  },
  {
    reason: 'R loads the compiled part of its packages',
    program: /\/R\/bin\/exec\/R$/,
    soname: /^libR\.so$/,
    files: /\/R\/(.*\/)?(libs|modules)\/[^/]+\.so$/,
  },
  {
    reason: 'Tcl loads packages',
    soname: /^libtcl\d/,
    files: /\/(tcltk|tcl)[\d.]*\/.*\.so$/,
  },
  {
    reason: 'uWSGI loads plugins',
    program: /\/uwsgi[-a-z]*$/,
    files: /\/uwsgi\/.*_plugin\.so$/,
  },
  {
    reason: 'lighttpd loads modules',
    program: /\/lighttpd$/,
    files: /\/lighttpd\/mod_[^/]+\.so$/,
  },
  {
    reason: 'Varnish loads modules',
    program: /\/varnishd$/,
    files: /\/varnish\/(vmods|vcl|vext)?\/?[^/]+\.so$/,
  },
  {
    reason: 'Dovecot loads modules',
    program: /\/dovecot\/[^/]+$|\/dovecot$/,
    files: /\/dovecot\/(modules\/)?.*\.so$/,
  },
  {
    reason: 'slapd loads backends and overlays',
    program: /\/slapd$/,
    files: /\/(ldap|openldap)\/[^/]+\.so[.\d]*$/,
  },
  {
    reason: 'OpenSSL loads providers from its module directory',
    soname: /^libcrypto\.so/,
    files: /\/ossl-modules\/[^/]+\.so$/,
  },
  {
    reason: 'OpenSSL loads the engines that its configuration names',
    soname: /^libcrypto\.so/,
    files: /\/engines-[\d.]+\/[^/]+\.so$/,
    selected: {
      configuration: /\/ssl\/openssl[^/]*\.cnf$/,
      otherwise: 'none',
      names: /^\s*(?:engine_id|dynamic_path)\s*=\s*(\S+)/gm,
    },
  },
  {
    reason: 'PAM loads the modules that its services name',
    soname: /^libpam\.so/,
    files: /\/security\/pam_[^/]+\.so$/,
    selected: {
      configuration: /^\/etc\/pam\.(d\/[^/]+|conf)$/,
      otherwise: 'all',
      names: /^\s*[^#\n]*?\b(pam_\w+)\.so/gm,
    },
  },
  {
    reason: 'SASL loads its mechanisms',
    soname: /^libsasl2\.so/,
    files: /\/sasl2\/lib[^/]+\.so(\.[\d.]+)?$/,
  },
  {
    reason: 'Kerberos loads its plugins',
    soname: /^libkrb5\.so/,
    files: /\/krb5\/plugins\/.*\.so$/,
  },
  {
    reason: 'p11-kit loads PKCS #11 modules',
    soname: /^libp11-kit\.so/,
    files: /\/pkcs11\/[^/]+\.so$/,
  },
  {
    reason: 'GIO loads its modules',
    soname: /^libgio-2\.0\.so/,
    files: /\/gio\/modules\/[^/]+\.so$/,
  },
  {
    reason: 'GdkPixbuf loads image loaders',
    soname: /^libgdk_pixbuf-2\.0\.so/,
    files: /\/gdk-pixbuf-2\.0\/.*\/loaders\/[^/]+\.so$/,
  },
  {
    reason: 'ImageMagick loads coders and filters',
    soname: /^libMagickCore/,
    files: /\/ImageMagick-[^/]+\/.*\/(coders|filters)\/[^/]+\.so$/,
  },
];
