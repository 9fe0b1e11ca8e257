package io.baton.engine.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.baton.engine.KvType;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KvLayoutTest {

    @ParameterizedTest
    @EnumSource
    void everyElementHasBytesOfItsOwnInsideTheUnit(KvType type) {
        for (int blockTokens : new int[] {16, 32, 64, 128}) {
            for (int headDim : new int[] {1, 13, 16, 64}) {
                KvLayout layout = new KvLayout(type, blockTokens, 3, headDim);
                BitSet used = new BitSet();
                for (int head = 0; head < 3; head++) {
                    for (int token = 0; token < blockTokens; token++) {
                        for (int d = 0; d < headDim; d++) {
                            take(used, layout, layout.key(head, token, d), type.bytes());
                            take(used, layout, layout.value(head, token, d), type.bytes());
                        }
                        if (type == KvType.Q8) {
                            take(used, layout, layout.keyScale(head, token), Float.BYTES);
                            take(used, layout, layout.valueScale(head, token), Float.BYTES);
                        }
                    }
                }
            }
        }
    }

    private static void take(BitSet used, KvLayout layout, long offset, int bytes) {
        assertThat(offset).isBetween(0L, layout.unitBytes() - bytes);
        for (int i = 0; i < bytes; i++) {
            assertThat(used.get((int) offset + i)).isFalse();
            used.set((int) offset + i);
        }
    }

    @ParameterizedTest
    @EnumSource
    void panelsBeginOnCacheLines(KvType type) {
        KvLayout layout = new KvLayout(type, 16, 3, 13);
        for (int head = 0; head < 3; head++) {
            assertThat(layout.keys(head) % OffHeap.ALIGNMENT).isZero();
            assertThat(layout.values(head) % OffHeap.ALIGNMENT).isZero();
            assertThat(layout.keyScale(head, 0) % OffHeap.ALIGNMENT).isZero();
        }
        assertThat(layout.unitBytes() % OffHeap.ALIGNMENT).isZero();
    }

    @Test
    void aUnitOfWholePanelsHasNoPadding() {
        assertThat(new KvLayout(KvType.BF16, 32, 8, 64).unitBytes()).isEqualTo(2 * 32 * 8 * 64 * 2);
        assertThat(new KvLayout(KvType.F32, 32, 8, 64).unitBytes()).isEqualTo(2 * 32 * 8 * 64 * 4);
        assertThat(new KvLayout(KvType.Q8, 32, 8, 64).unitBytes()).isEqualTo(2 * 32 * 8 * (64 + 4));
    }

    @Test
    void aPoolKeepsUnitsApartAndClearsOneBlock() {
        try (KvPool pool = KvPool.allocate(new KvLayout(KvType.BF16, 16, 1, 4), 3, 5)) {
            for (int layer = 0; layer < 3; layer++) {
                for (int block = 0; block < 5; block++) {
                    assertThat(pool.unit(layer, block).byteSize()).isEqualTo(pool.unitBytes());
                    pool.unit(layer, block).fill((byte) (1 + layer + 3 * block));
                }
            }
            pool.zero(2);
            for (int layer = 0; layer < 3; layer++) {
                for (int block = 0; block < 5; block++) {
                    byte expected = (byte) (block == 2 ? 0 : 1 + layer + 3 * block);
                    assertThat(pool.unit(layer, block).toArray(ValueLayout.JAVA_BYTE))
                            .containsOnly(expected);
                }
            }
            assertThatThrownBy(() -> pool.unit(3, 0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> pool.address(0, 5)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
