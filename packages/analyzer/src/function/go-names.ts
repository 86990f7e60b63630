/**
 * Packages of Go's library that keep numbers of system calls in package variables, and take no address of those:
 * `fcntl64Syscall` and `FcntlSyscall` (syscall, internal/syscall/unix, golang.org/x/sys/unix; internal/poll uses
 * them), which are set where int has 32 bits only, and `perThreadSyscall` (runtime/os_linux.go).
 */
const numberPackages =
  /^(?:(?:.*\/)?vendor\/)?(?:runtime|syscall|internal\/poll|internal\/syscall\/unix|golang\.org\/x\/sys\/unix)\./;

/** Whether static words that a Go function loads numbers from are variables of their own. */
export const keepsNumbersInVariables = (name: string): boolean => numberPackages.test(name);

/** Whether the runtime calls a function by a list of all packages' initializers (cmd/compile/internal/pkginit). */
export const isInitializer = (name: string): boolean => /\.(?:map\.)?init(?:\.\d+)?(?:\.abi0)?$/.test(name);

/** Whether a function gives methods of a type by reflection (cmd/link/internal/ld/deadcode.go, `ReflectMethod`). */
export const findsMethods = (name: string): boolean =>
  /^reflect\.(?:Value|\(\*Value\)|\(\*rtype\)|\*rtype)\.Method(?:ByName)?$/.test(name);
