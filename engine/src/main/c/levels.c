/* Which of the compiled instruction sets this machine runs; built for the oldest machine there is. */
#include <stdint.h>

/* Bits: 0 AVX2+FMA+F16C, 1 AVX-512 F/BW/DQ/VL, 2 AVX-512 VNNI, 3 AVX-512 BF16, 4 AMX int8, 8 NEON, 9 NEON dot product,
 * 10 int8 matrix product. */
#define LEVEL(bit) (1u << (bit))

#if defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Tiles need the processor (CPUID 7.0 EDX bits 24 and 25) and the kernel's leave (arch_prctl ARCH_REQ_XCOMP_PERM for the
 * tile state), which holds for all threads started after. */
static int has_tiles(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d >> 24 & 3) != 3) return 0;
    return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

/* clang's __builtin_cpu_supports does not know it by name. */
static int has_f16c(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

uint32_t baton_levels(void) {
    uint32_t levels = 0;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c())
        levels |= LEVEL(0);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        levels |= LEVEL(1);
    if (__builtin_cpu_supports("avx512vnni")) levels |= LEVEL(2);
    if (__builtin_cpu_supports("avx512bf16")) levels |= LEVEL(3);
    if (has_tiles()) levels |= LEVEL(4);
    return levels;
}

#elif defined(__aarch64__)

#if defined(__linux__)
#include <sys/auxv.h>
#define HAS_DOT (getauxval(AT_HWCAP) >> 20 & 1)     /* HWCAP_ASIMDDP */
#define HAS_MATRIX (getauxval(AT_HWCAP2) >> 13 & 1) /* HWCAP2_I8MM */
#else
#define HAS_DOT 1 /* every Apple core that runs a supported JDK */
#define HAS_MATRIX 0
#endif

uint32_t baton_levels(void) { return LEVEL(8) | (HAS_DOT ? LEVEL(9) : 0) | (HAS_MATRIX ? LEVEL(10) : 0); }

#endif
