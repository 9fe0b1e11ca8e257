package io.baton.transfer;

import io.baton.kv.BlockChain;
import io.baton.kv.BlockHash;
import io.baton.kv.SequenceRoot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A sequence's units in scattered order in off-heap memory, with canary bytes around each. */
final class TestingBlocks {

    private static final int CANARY_BYTES = 64;
    private static final byte CANARY = 0x5A;

    private final TransferShape shape;
    private final MemorySegment memory;
    private final int[] place;

    private TestingBlocks(TransferShape shape, Random random) {
        this.shape = shape;
        this.memory = Arena.ofAuto().allocate(shape.units() * stride() + CANARY_BYTES, 64);
        memory.fill(CANARY);
        this.place = new int[shape.units()];
        Arrays.setAll(place, i -> i);
        for (int i = place.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = place[i];
            place[i] = place[j];
            place[j] = swapped;
        }
        for (int unit = 0; unit < shape.units(); unit++) {
            at(unit).fill((byte) 0);
        }
    }

    static TestingBlocks zeroed(TransferShape shape, Random random) {
        return new TestingBlocks(shape, random);
    }

    static TestingBlocks random(TransferShape shape, Random random) {
        TestingBlocks blocks = new TestingBlocks(shape, random);
        byte[] bytes = new byte[(int) shape.unitBytes()];
        for (int unit = 0; unit < shape.units(); unit++) {
            random.nextBytes(bytes);
            MemorySegment.copy(bytes, 0, blocks.at(unit), ValueLayout.JAVA_BYTE, 0, bytes.length);
        }
        return blocks;
    }

    static List<BlockHash> hashes(TransferShape shape) {
        SequenceRoot root = SequenceRoot.of(new byte[32], "", new byte[0], SequenceRoot.LOSSLESS);
        return BlockChain.of(root, new int[shape.tokens()], shape.blockTokens());
    }

    private long stride() {
        return shape.unitBytes() + CANARY_BYTES;
    }

    private MemorySegment at(int unit) {
        return memory.asSlice(CANARY_BYTES + place[unit] * stride(), shape.unitBytes());
    }

    MemorySegment unit(int layer, int block) {
        return at(shape.unitIndex(layer, block));
    }

    byte[] bytes(int layer, int block) {
        return unit(layer, block).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Copies the units that {@code held} names from {@code other}. */
    void copyHeld(TestingBlocks other, VerifiedBlocks held) {
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (int block = 0; block < held.in(layer); block++) {
                unit(layer, block).copyFrom(other.unit(layer, block));
            }
        }
    }

    boolean equalIn(TestingBlocks other, VerifiedBlocks verified) {
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (int block = 0; block < verified.in(layer); block++) {
                if (unit(layer, block).mismatch(other.unit(layer, block)) >= 0) {
                    return false;
                }
            }
        }
        return true;
    }

    boolean equalTo(TestingBlocks other) {
        return equalIn(other, VerifiedBlocks.whole(shape.blocks(), shape.layers()));
    }

    boolean canariesIntact() {
        for (int unit = 0; unit <= shape.units(); unit++) {
            for (int i = 0; i < CANARY_BYTES; i++) {
                if (memory.get(ValueLayout.JAVA_BYTE, unit * stride() + i) != CANARY) {
                    return false;
                }
            }
        }
        return true;
    }

    byte[] snapshot() {
        return memory.toArray(ValueLayout.JAVA_BYTE);
    }
}
