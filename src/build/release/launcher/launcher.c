/*
 * bin/outrider and bin/outriderctl: become the release's Node.js without a shell in between, which would lose variables.
 *
 * A static program without a library, so that the release needs no compiler: launcher-x64 and launcher-arm64 are built by
 * make.sh and kept. What depends on the release (script, flags, variables) is written into the table by launcher.ts.
 *
 * The environment goes on as it is, with three differences, which src/process/own-environment.ts takes back for children:
 * variables of the allocator are added where there are none; variables that would weaken Node.js get a first byte of 1,
 * so that it does not know them; and OUTRIDER_LAUNCHED tells all this.
 */

typedef unsigned long size;

/* The script's path in the release; then lists of strings, each ended by an empty one: flags, variables to add, names to hide. */
__attribute__((used, section(".data"), aligned(8))) static char table[2048] = "@outrider-launcher-table@";

static char launched[] = "OUTRIDER_LAUNCHED=0";
/* Longest path that Linux takes. */
enum { room = 4096 };
static char root[room + 8];
static char node[room + 32];
static char script[room + 32];

#if defined(__x86_64__)
static long call(long number, long a, long b, long c, long d) {
  long result;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return result;
}
enum { WRITE = 1, EXECVE = 59, EXIT = 231, READLINKAT = 267 };
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
static long call(long number, long a, long b, long c, long d) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
  return x0;
}
enum { WRITE = 64, READLINKAT = 78, EXIT = 94, EXECVE = 221 };
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n bl start\n");
#endif

static size length(const char *text) {
  size count = 0;
  while (text[count]) count += 1;
  return count;
}

/* True when `entry` is `name=…`; `name` ends at its zero or at `=`. */
static int is(const char *entry, const char *name) {
  while (*name && *name != '=') if (*entry++ != *name++) return 0;
  return *entry == '=';
}

static char *append(char *to, const char *text) {
  while (*text) *to++ = *text++;
  *to = 0;
  return to;
}

__attribute__((noreturn)) static void fail(const char *what) {
  static const char words[] = "outrider cannot be started: ";
  call(WRITE, 2, (long)words, sizeof words - 1, 0);
  call(WRITE, 2, (long)what, (long)length(what), 0);
  call(WRITE, 2, (long)"\n", 1, 0);
  call(EXIT, 126, 0, 0, 0);
  __builtin_unreachable();
}

/* The release's folder: above that of this program, wherever links led from. */
static void find_root(const char *executed) {
  long count = call(READLINKAT, -100, (long)"/proc/self/exe", (long)root, room);
  if (count <= 0) {
    /* Without /proc, the path that was executed, relative or not. */
    count = (long)length(executed);
    if (count >= room) fail("its path is too long");
    append(root, executed);
  }
  while (count > 0 && root[count - 1] != '/') count -= 1;
  append(root + count, "..");
}

__attribute__((used, noreturn)) void start(long *stack) {
  long argc = stack[0];
  char **argv = (char **)(stack + 1);
  char **envp = argv + argc + 1;
  size variables = 0;
  while (envp[variables]) variables += 1;
  const char *executed = argc > 0 ? argv[0] : "";
  for (long *aux = (long *)(envp + variables + 1); aux[0]; aux += 2) if (aux[0] == 31) executed = (char *)aux[1];
  find_root(executed);
  append(append(node, root), "/lib/node");
  char *word = table;
  append(append(script, root), word);
  word += length(word) + 1;

  /* Room for what the table holds, the program, the script, the marker and the ends. */
  char *args[argc + 64], *environment[variables + 64];
  size at = 0;
  args[at++] = node;
  for (; *word && at < 60; word += length(word) + 1) args[at++] = word;
  args[at++] = script;
  for (long index = 1; index < argc; index += 1) args[at++] = argv[index];
  args[at] = 0;

  at = 0;
  size bit = 1;
  for (word += 1; *word && bit < 64; word += length(word) + 1, bit *= 2) {
    size index = 0;
    while (index < variables && !is(envp[index], word)) index += 1;
    if (index < variables) continue;
    environment[at++] = word;
    launched[sizeof launched - 2] += (char)bit;
  }
  environment[at++] = launched;
  for (size index = 0; index < variables; index += 1) environment[at++] = envp[index];
  environment[at] = 0;
  for (word += 1; *word; word += length(word) + 1) {
    for (size index = 0; index < variables; index += 1) if (is(envp[index], word)) envp[index][0] = 1;
  }

  call(EXECVE, (long)node, (long)args, (long)environment, 0);
  fail(node);
}
