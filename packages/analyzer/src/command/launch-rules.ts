/**
 * Programs that a program, or a script in a language that is not followed, starts by its own job, whoever gave it its
 * work: a compiler its passes, a runtime its helpers. What a program starts because a script in its own language says
 * so is not among them.
 */
export interface LaunchRule {
  /** Shown as the reason why a program is analysed. */
  readonly reason: string;
  /** Real path of the program or script that starts others. */
  readonly program: RegExp;
  /** Real path of the files that it may start. */
  readonly files?: RegExp;
  /** Real path of shell scripts that it hands to bash, executable or not. */
  readonly scripts?: RegExp;
  /** Only files under the directory two above the program's own, as `bin/java` and `lib/` of one Java home. */
  readonly besideProgram?: true;
  /** What it looks for on the path, or by an absolute path; what the image does not have is not started. */
  readonly names?: readonly string[];
}

/** Which of its passes a driver starts depends on the files that it is given. */
const gccPasses =
  /\/gcc(-cross)?\/[^/]+\/[\d.]+\/(cc1|cc1plus|cc1obj|cc1objplus|cc1gm2|d21|f951|gnat1|go1|rust1|lto1|lto-wrapper|collect2|g\+\+-mapper-server)$/;

/** From each program's documentation or source, and how Debian lays it out. */
export const launchRules: readonly LaunchRule[] = [
  {
    reason: 'the drivers of GCC start its passes, the assembler and the linker',
    program: /\/([^/]+-)?(gcc|g\+\+|c\+\+|cpp|gfortran|gdc|gm2|gccgo|gnatmake)(-[\d.]+)?$/,
    files: gccPasses,
    names: ['as', 'ld'],
  },
  {
    reason: "GCC's collect2 starts the linker and, for link-time optimisation, the driver again",
    program: /\/gcc(-cross)?\/[^/]+\/[\d.]+\/collect2$/,
    names: ['ld', 'ld.bfd', 'ld.gold', 'nm', 'strip', 'c++filt', 'gcc'],
  },
  {
    // The makefile that it writes moves and touches files (gcc/lto-wrapper.cc).
    reason: "GCC's lto-wrapper starts the driver and, for many parts at once, make",
    program: /\/gcc(-cross)?\/[^/]+\/[\d.]+\/lto-wrapper$/,
    names: ['gcc', 'make', 'touch', 'mv'],
  },
  {
    reason: 'Clang starts the linker, and the assembler where its own is switched off',
    program: /\/clang(-[\d.]+)?$/,
    names: ['ld', 'as', 'ld.lld'],
  },
  {
    reason: "Swift's driver starts its compiler, Clang and the linkers",
    program: /\/swift\/bin\/(swift-driver|swiftc?)$/,
    files:
      /\/swift\/bin\/(swift-(frontend|autolink-extract|help|build|package|run|test)|clang(\+\+|-\d+)?|ld\.lld|lld|lldb|repl_swift)$/,
    names: ['ld', 'ld.gold', 'clang'],
  },
  {
    reason: "Swift's package manager starts the compiler, archivers, git, what it has built, and plugins",
    program: /\/swift\/bin\/swift-(build|package|run|test)$/,
    files: /\/swift\/bin\/(swiftc?|swift-(driver|frontend|plugin-server|symbolgraph-extract)|clang|llvm-ar)$/,
    names: ['git', 'ar', '/bin/sh', 'which', 'env'],
  },
  {
    reason: 'make runs each line of a rule by the shell',
    program: /\/g?make$/,
    names: ['/bin/sh'],
  },
  {
    // Perl scripts, which are not followed; libtoolize and autopoint are for the shell, and are.
    reason: "autoconf's and automake's tools start each other and m4",
    program:
      /\/(autoreconf|autoconf|autoheader|autom4te|autoscan|autoupdate|ifnames|aclocal|automake)(-[\d.]+)?$/,
    names: [
      'autoconf',
      'autoheader',
      'autom4te',
      'aclocal',
      'automake',
      'm4',
      'libtoolize',
      'autopoint',
      'gtkdocize',
      'intltoolize',
      'make',
    ],
  },
  {
    // What `git NAME` starts beyond its own commands is named on its command line.
    reason: 'git starts itself, its transports and helpers that hold passwords',
    program: /\/git$/,
    files: /\/git-core\/git(-remote-[a-z]+|-http-fetch|-submodule|-credential-[a-z-]+)?$/,
    names: ['/bin/sh', 'ssh', 'gpg'],
  },
  {
    reason: 'Composer takes sources by git and archives by unzip',
    program: /\/composer(\.phar)?$/,
    names: ['git', 'unzip', '7z', 'hg', 'svn', '/bin/sh'],
  },
  {
    reason: "the go command starts the tools of its tree, and C's compiler for cgo",
    program: /\/go(-[\d.]+)?\/bin\/go$/,
    files: /\/go(-[\d.]+)?\/(pkg\/tool\/[^/]+\/[^/]+|bin\/gofmt)$/,
    names: ['gcc', 'g++', 'gfortran', 'ar', 'pkg-config', 'git'],
  },
  {
    reason: 'rustc links by the C compiler',
    program: /\/rustc$/,
    names: ['cc', 'gcc', 'rust-lld'],
  },
  {
    reason: 'cargo starts the compiler and its documentation tool',
    program: /\/cargo$/,
    names: ['rustc', 'rustdoc', 'git'],
  },
  {
    reason: 'GHC assembles and links by the C compiler',
    program: /\/ghc(-[\d.]+)?$/,
    files: /\/ghc(-[\d.]+)?\/(.*\/)?bin\/(unlit|ghc-iserv(-dyn|-prof)?)$/,
    names: ['gcc', 'x86_64-linux-gnu-gcc', 'ar', 'x86_64-linux-gnu-ar', 'ld', 'opt', 'llc'],
  },
  {
    reason: 'Nim compiles by the C compiler',
    program: /\/nim$/,
    names: ['gcc', '/bin/sh'],
  },
  {
    reason: 'Java starts programs by a helper of its own',
    program: /\/(java|javac|javadoc|jshell|jcmd|jlink|jpackage|jrunscript|keytool)$/,
    files: /\/lib\/jspawnhelper$/,
    besideProgram: true,
  },
  {
    reason: 'jshell runs what is typed in another Java',
    program: /\/jshell$/,
    files: /\/bin\/java$/,
    besideProgram: true,
  },
  {
    reason: "Erlang's launcher executes the emulator, and the port mapper for a node with a name",
    program: /\/erts-[^/]+\/bin\/erlexec$/,
    files: /\/erts-[^/]+\/bin\/(beam(\.\w+)*|epmd)$/,
    names: ['/bin/sh', 'epmd'],
  },
  {
    reason: "Erlang's emulator starts ports, looks up names and watches the machine by helpers",
    program: /\/erts-[^/]+\/bin\/beam(\.\w+)*$/,
    files: /\/erts-[^/]+\/bin\/(erl_child_setup|inet_gethost|heart)$|\/os_mon-[^/]+\/priv\/bin\/[^/]+$/,
    names: ['/bin/sh'],
  },
  {
    // system(3), popen(3) and what these languages make of them.
    reason: 'the language runs command lines by the shell',
    program:
      /\/(python|pypy|perl|j?ruby|node|nodejs|php|php-cgi|php-fpm|lua|luajit|guile|swipl|rakudo-[a-z]+|moar|julia|haxe|haxelib|neko|nekoc|nekotools)-?[\d.]*$|\/R\/bin\/exec\/R$/,
    names: ['/bin/sh'],
  },
  {
    // A shell script, which is followed (MediaWiki's Shellbox, src/Command/BashWrapper.php).
    reason: 'MediaWiki starts programs by a script that limits them',
    program: /\/(apache2|php-?(cgi|fpm)?[\d.]*)$/,
    scripts: /\/shellbox\/(.*\/)?limit\.sh$/,
  },
  {
    // `nekotools boot` of src/tools/nekoboot.neko.
    reason: 'nekotools makes what it builds executable by chmod',
    program: /\/nekotools$/,
    names: ['chmod'],
  },
  {
    reason: "Haxe's package manager starts the compiler, Neko, and what fetches sources",
    program: /\/haxelib$/,
    names: ['haxe', 'neko', 'git', 'hg'],
  },
  {
    // R_CleanTempDir: libR.so has the line.
    reason: 'R removes the directory of its session by rm when it ends',
    program: /\/R\/bin\/exec\/R$/,
    names: ['rm'],
  },
  {
    reason: 'Rscript executes R',
    program: /\/Rscript$/,
    names: ['R'],
  },
  {
    // dpkg-preconfigure is a hook of debconf's (/etc/apt/apt.conf.d/70debconf).
    reason: 'apt starts its methods, and dpkg and its hooks by the shell',
    program: /\/apt(-get|-cache)?$/,
    files: /\/apt\/(methods|solvers|planners)\/[^/]+$/,
    names: ['dpkg', 'dpkg-preconfigure', '/bin/sh', 'gpgv', 'sqv'],
  },
  {
    // A shell script, which is followed (apt's methods/gpgv.cc).
    reason: "apt's method gpgv checks signatures by apt-key or a verifier",
    program: /\/apt\/methods\/gpgv$/,
    names: ['apt-key', 'gpgv', 'sqv'],
  },
  {
    // start_new_gpg_agent and its like of GnuPG's common/asshelp.c.
    reason: "GnuPG's tools start its agent and its daemons for keys and networks",
    program: /\/(gpg|gpg2|gpgsm|gpgconf|gpg-connect-agent)$/,
    files: /\/gnupg2?\/(keyboxd|dirmngr_ldap|gpg-check-pattern)$/,
    names: ['gpg-agent', 'dirmngr', 'gpgconf', 'gpg-connect-agent'],
  },
  {
    reason: "GnuPG's agent asks for passphrases and cards by programs of their own",
    program: /\/gpg-agent$/,
    files: /\/gnupg2?\/scdaemon$/,
    names: ['pinentry'],
  },
  {
    reason: 'irssi runs command lines by the shell',
    program: /\/irssi$/,
    names: ['/bin/sh'],
  },
  {
    reason: 'dpkg unpacks by its helpers',
    program: /\/dpkg(-deb)?$/,
    names: ['dpkg-deb', 'dpkg-split', 'tar', 'rm', '/bin/sh', 'ldconfig', 'diff'],
  },
  {
    reason: 'initdb and pg_ctl start the server, by the shell',
    program: /\/postgresql\/[^/]+\/bin\/(initdb|pg_ctl)$/,
    files: /\/postgresql\/[^/]+\/bin\/postgres$/,
    names: ['/bin/sh'],
  },
];
