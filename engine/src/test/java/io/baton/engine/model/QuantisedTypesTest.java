package io.baton.engine.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.engine.kernel.TestingBlocks;
import io.baton.model.files.Tensor;
import io.baton.model.files.TensorType;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every quantised type is read as its definition says, to the bit. */
class QuantisedTypesTest {

    static Set<TensorType> types() {
        Set<TensorType> types = EnumSet.copyOf(TensorRows.READABLE);
        types.removeIf(type -> TensorRows.quantised(type).isEmpty());
        return types;
    }

    @Test
    void blocksThatAnotherDecoderReadHaveItsValues() throws IOException {
        Set<TensorType> seen = EnumSet.noneOf(TensorType.class);
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(getClass().getResourceAsStream("quantised-blocks.txt")),
                StandardCharsets.US_ASCII))) {
            for (String line :
                    lines.lines().filter(text -> !text.startsWith("#")).toList()) {
                String[] parts = line.split(" ", 3);
                TensorType type = TensorType.valueOf(parts[0]);
                seen.add(type);
                ByteBuffer values =
                        ByteBuffer.wrap(HexFormat.of().parseHex(parts[2])).order(ByteOrder.LITTLE_ENDIAN);
                float[] expected = new float[values.remaining() / Float.BYTES];
                values.asFloatBuffer().get(expected);
                same(type, HexFormat.of().parseHex(parts[1]), expected);
            }
        }
        assertThat(seen).isEqualTo(types());
    }

    @ParameterizedTest
    @MethodSource("types")
    void randomBlocksHaveTheValuesOfTheDefinitionRoundedOnce(TensorType type) {
        for (int seed = 0; seed < 200; seed++) {
            byte[] row = TestingBlocks.row(TensorRows.quantised(type).orElseThrow(), new Random(seed), 512);
            float[] expected = new float[512];
            for (int k = 0; k < 512; k++) {
                expected[k] = (float) BlockDefinition.value(type, row, k);
            }
            same(type, row, expected);
        }
    }

    /** Equal bit by bit, but for the sign of zero. */
    private static void same(TensorType type, byte[] row, float[] expected) {
        Tensor tensor = new Tensor("w", type, List.of(1L, (long) expected.length), MemorySegment.ofArray(row));
        float[] found = new float[expected.length];
        new TensorRows(tensor).read(0, found);
        for (int k = 0; k < expected.length; k++) {
            assertThat(found[k] + 0f).as("%s value %d".formatted(type, k)).isEqualTo(expected[k] + 0f);
        }
    }
}
