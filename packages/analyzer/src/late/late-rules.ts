import type { AskedNames } from '../link/bind-symbols.js';

/** Files that name modules. */
export interface ModuleConfiguration {
  /** Path of the files, links not followed. */
  readonly file: RegExp;
  /** Its first group is a name. Flags `gm`. */
  readonly names: RegExp;
}

/**
 * Objects that a program opens by itself at run time, from directories that its code or its library knows.
 * A rule holds for programs whose path matches `program`, or that have an object of a name matching `soname`,
 * one that was opened late included.
 */
export interface LateRule {
  /** Shown as the reason why an object is in a closure. */
  readonly reason: string;
  readonly program?: RegExp;
  readonly soname?: RegExp;
  /** Path of the files that may be opened, or of links to them. */
  readonly files?: RegExp;
  /** Only files under the directory that holds the program's own, as `bin/java` and `lib/` of one Java home. */
  readonly besideProgram?: true;
  /** Configuration that says which of the files are opened; where it is there and cannot be read, all are. */
  readonly selected?: {
    /** A name in any of them selects the file of that name; directory, suffix and version do not matter. */
    readonly configurations: readonly ModuleConfiguration[];
    /** What an image without configuration opens: a server is then given its own when it is run. */
    readonly otherwise: 'all' | 'none';
  };
  /**
   * What the host asks of what it opens: exported names, each with the host's functions of which one must be called
   * before. A name that is not there is asked for where reachable code has it as a constant. Absent: any name may be.
   */
  readonly asked?: AskedNames;
  /** Configuration whose names are given to the dynamic loader as they are. */
  readonly named?: ModuleConfiguration;
}

/**
 * `pam_sm_*`(3), which a service calls by what the application calls (libpam/pam_dispatch.c). All names are in one
 * function of libpam.
 */
const pamServices: AskedNames = {
  pam_sm_authenticate: ['pam_authenticate'],
  pam_sm_setcred: ['pam_setcred'],
  pam_sm_acct_mgmt: ['pam_acct_mgmt'],
  pam_sm_open_session: ['pam_open_session'],
  pam_sm_close_session: ['pam_close_session'],
  pam_sm_chauthtok: ['pam_chauthtok'],
};

/** `ep_list` of `sasl_client_init` and `sasl_server_init` in Cyrus SASL's lib/client.c and lib/server.c. */
const saslEntryPoints: AskedNames = {
  sasl_client_plug_init: ['sasl_client_init'],
  sasl_server_plug_init: ['sasl_server_init'],
  sasl_auxprop_plug_init: ['sasl_server_init'],
  sasl_canonuser_init: ['sasl_client_init', 'sasl_server_init'],
};

/** Directories of the distribution's own libraries: what lies elsewhere, an application brought. */
const applicationObjects = /^(?!\/(usr\/)?(lib|lib32|lib64|libx32|libexec|local\/lib)\/).*\.so(\.\d+)*$/;

/**
 * Where each host looks comes from its documentation or source and from how Debian, Alpine, Fedora and the
 * official images lay it out.
 */
export const lateRules: readonly LateRule[] = [
  {
    reason: 'Python imports extension modules from lib-dynload and the site directories',
    program: /\/(python|pypy)[23]?(\.\d+)*[a-z]*(-dbg)?$/,
    soname: /^lib(python[23]|pypy3?-c)/,
    files: /\/(lib-dynload|site-packages|dist-packages)\/.*\.so$|\.(cpython-[^/]*|abi3|pypy[^/]*)\.so$/,
  },
  {
    reason: 'Python imports extension modules that lie with the application',
    program: /\/(python|pypy)[23]?(\.\d+)*[a-z]*(-dbg)?$/,
    soname: /^lib(python[23]|pypy3?-c)/,
    files: applicationObjects,
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
      configurations: [
        { file: /\/php[^/]*\/.*\.ini$/, names: /^\s*(?:zend_)?extension\s*=\s*["']?([^\s;"']+)/gm },
      ],
      otherwise: 'none',
    },
  },
  {
    reason: 'Apache loads the modules that its configuration names',
    program: /\/(apache2|httpd)$/,
    files: /\/(apache2|httpd)\/modules\/[^/]+\.so$/,
    selected: {
      configurations: [
        {
          file: /\/(etc\/(apache2|httpd)|apache2\/conf)\/.*(\.conf|\.load)$/,
          names: /^\s*Load(?:Module\s+\S+|File)\s+["']?([^\s"']+)/gim,
        },
      ],
      otherwise: 'all',
    },
  },
  {
    reason: 'nginx loads the modules that its configuration names',
    program: /\/(nginx|nginx-debug|openresty)$/,
    files: /\/nginx\/modules\/[^/]+\.so$/,
    selected: {
      configurations: [
        {
          file: /^\/(etc\/nginx|usr\/local\/(openresty\/)?nginx\/conf|usr\/share\/nginx\/modules)\/.*\.conf$/,
          names: /^[^#\n]*?\bload_module\s+["']?([^\s;"']+)/gm,
        },
      ],
      otherwise: 'all',
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
    soname: /^libjli\.so/,
    files: /\/lib\/.*\.so$/,
    besideProgram: true,
  },
  {
    reason: 'Java loads native methods from the system directory for them',
    soname: /^lib(jli|jvm)\.so/,
    files: /\/jni\/.*\.so[\d.]*$|\/lib[^/]*(jni|tcnative|java)[^/]*\.so[\d.]*$/,
  },
  {
    reason: 'Java loads native methods that lie with the application',
    soname: /^lib(jli|jvm)\.so/,
    files: applicationObjects,
  },
  {
    reason: 'Node.js requires native addons',
    program: /\/(node|nodejs)[\d.]*$/,
    files: /\.node$/,
  },
  {
    reason: 'Erlang loads native code from the priv directory of an application',
    program: /\/beam(\.[a-z]+)*$/,
    files: /\/priv\/.*\.so$/,
  },
  {
    reason: '.NET loads the native libraries of its runtime',
    program: /\/dotnet$/,
    soname: /^lib(hostfxr|hostpolicy|coreclr)\.so$/,
    files: /\/dotnet\/.*\.so$/,
  },
  {
    reason: '.NET loads native libraries that lie with the application',
    program: /\/dotnet$/,
    soname: /^lib(hostfxr|hostpolicy|coreclr)\.so$/,
    files: applicationObjects,
  },
  {
    reason: 'Mono loads its helper libraries and assemblies compiled ahead of time',
    program: /\/mono(-(sgen|boehm))?(32|64)?$/,
    soname: /^libmono(sgen|boehm)?-2\.0\.so/,
    files: /\/lib(mono-|Mono)[^/]*\.so[\d.]*$|\.(dll|exe)\.so$/,
  },
  {
    reason: 'Mono loads native libraries that lie with the application',
    program: /\/mono(-(sgen|boehm))?(32|64)?$/,
    soname: /^libmono(sgen|boehm)?-2\.0\.so/,
    files: applicationObjects,
  },
  {
    reason: 'Mono maps the names of native methods to these libraries',
    program: /\/mono(-(sgen|boehm))?(32|64)?$/,
    soname: /^libmono(sgen|boehm)?-2\.0\.so/,
    named: {
      file: /\/mono\/config$|\.(dll|exe)\.config$/,
      names: /^\s*<dllmap\b[^>]*\btarget="([^"]+)"/gm,
    },
  },
  {
    reason: 'SQLite loads extensions',
    program: /\/sqlite3$/,
    soname: /^libsqlite3\.so/,
    files: /\/sqlite3\/[^/]+\.so$|\/mod_spatialite[^/]*\.so$/,
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
    reason: 'SWI-Prolog loads the compiled part of its libraries',
    program: /\/swipl$/,
    soname: /^libswipl\.so/,
    files: /\/swi(-prolog|pl)\/.*\.so$/,
  },
  {
    reason: 'Julia loads the libraries beside it, its system image and what packages bring',
    program: /\/julia$/,
    soname: /^libjulia(-internal)?\.so/,
    files: /\/julia\/.*\.so[\d.]*$/,
  },
  {
    // `load_module` of libs of Neko's vm/load.c; mod_neko and mod_tora are modules of Apache.
    reason: 'Neko loads its libraries by name',
    soname: /^libneko\.so/,
    files: /\/neko\/(?!mod_)[^/]+\.ndll$/,
  },
  {
    reason: 'irssi loads its modules by name, the one for scripts among them',
    program: /\/irssi$/,
    files: /\/irssi\/modules\/[^/]+\.so$/,
  },
  {
    reason: 'Eggdrop loads the modules that its configuration names',
    program: /\/eggdrop(-[\d.]+)?$/,
    files: /\/eggdrop\/modules\/[^/]+\.so$/,
  },
  {
    reason: "GHC's interpreter loads packages",
    program: /\/ghc(-iserv(-dyn)?)?(-[\d.]+)?$/,
    files: /\/(ghc|haskell-packages)\/.*\/libHS[^/]+\.so$/,
  },
  {
    reason: 'Rakudo loads the compiled part of its runtime',
    program: /\/(moar|rakudo-[a-z]+|raku|perl6)$/,
    soname: /^libmoar\.so/,
    files: /\/(nqp|perl6|rakudo)\/.*\.so$/,
  },
  {
    reason: 'OCaml loads the C part of its libraries',
    program: /\/ocaml(run[a-z]*|\.byte)?$/,
    files: /\/stublibs\/[^/]+\.so$/,
  },
  {
    reason: 'binutils load plugins for link-time optimisation',
    program: /\/([^/]+-)?(ld(\.bfd|\.gold)?|ar|nm|ranlib)$/,
    // A link to a file with its version until GCC 10.
    files: /\/bfd-plugins\/[^/]+\.so$|\/liblto_plugin\.so(?:\.\d+)*$/,
  },
  {
    reason: 'Tcl loads packages',
    soname: /^libtcl\d/,
    files: /\/(tcltk|tcl)[\d.]*\/.*\.so$/,
    // An index may load an object from where the linker looks: libexpect lies among the other libraries.
    named: { file: /\/pkgIndex\.tcl$/, names: /\b(lib[\w+-]+\.so(?:\.\d+)*)/gm },
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
      configurations: [
        { file: /\/ssl\/openssl[^/]*\.cnf$/, names: /^\s*(?:engine_id|dynamic_path)\s*=\s*(\S+)/gm },
        {
          file: /^\/(etc|usr\/local)\/.*(nginx|apache2|httpd|haproxy|stunnel).*\.(conf|cfg|load)$/,
          names: /^\s*(?:ssl_engine|SSLCryptoDevice|ssl-engine|engine\s*=)\s*["']?([^\s;"']+)/gim,
        },
      ],
      otherwise: 'none',
    },
  },
  {
    reason: 'scripts and command lines may name any engine of OpenSSL',
    program: /\/(openssl|curl|node|nodejs|j?ruby[\d.]*|beam\.smp)$/,
    files: /\/engines-[\d.]+\/[^/]+\.so$/,
  },
  {
    reason: 'PAM loads the modules that its services name',
    soname: /^libpam\.so/,
    files: /\/security\/pam_[^/]+\.so$/,
    selected: {
      configurations: [{ file: /^\/etc\/pam\.(d\/[^/]+|conf)$/, names: /^\s*[^#\n]*?\b(pam_\w+)\.so/gm }],
      otherwise: 'all',
    },
    asked: pamServices,
  },
  {
    reason: 'SASL loads its mechanisms',
    soname: /^libsasl2\.so/,
    files: /\/sasl2\/lib[^/]+\.so(\.[\d.]+)?$/,
    asked: saslEntryPoints,
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
