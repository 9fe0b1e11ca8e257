package io.baton.engine.sample;

/**
 * Philox4x32-10: a counter-based generator, ten rounds of multiplication and exclusive or over a 128-bit counter under
 * a 64-bit key. Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
final class Philox {

    private static final int ROUNDS = 10;
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9; // golden ratio
    private static final int WEYL_1 = 0xBB67AE85; // sqrt(3) - 1

    private Philox() {}

    /** The four output words for a counter of four words and a key of two. */
    static int[] block(int c0, int c1, int c2, int c3, int k0, int k1) {
        for (int round = 0; round < ROUNDS; round++) {
            long product0 = MULTIPLIER_0 * Integer.toUnsignedLong(c0);
            long product1 = MULTIPLIER_1 * Integer.toUnsignedLong(c2);
            c0 = (int) (product1 >>> 32) ^ c1 ^ k0;
            c1 = (int) product1;
            c2 = (int) (product0 >>> 32) ^ c3 ^ k1;
            c3 = (int) product0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return new int[] {c0, c1, c2, c3};
    }

    /**
     * A number in [0, 1) with 53 random bits, a function of its arguments alone.
     *
     * @param choice which of several answers to one prompt
     * @param outputIndex position of the token in the output
     * @param draw which draw for that token
     */
    static double uniform(long seed, int choice, int outputIndex, int draw) {
        int[] words = block(outputIndex, draw, choice, 0, (int) seed, (int) (seed >>> 32));
        long bits = (Integer.toUnsignedLong(words[0]) << 21) ^ (words[1] >>> 11);
        return bits * 0x1p-53;
    }
}
