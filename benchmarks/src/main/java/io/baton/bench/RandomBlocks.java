package io.baton.bench;

import io.baton.model.files.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Random weights of a few hundredths, as trained ones have, in the blocks of each type. */
public final class RandomBlocks {

    /**
     * A type whose blocks are random bytes but for one f16 scale and, for types of an offset, one f16 more after it.
     *
     * @param offset 0 where the type has none
     */
    private record Recipe(TensorType type, int scaleAt, float scale, float offset) {}

    private static final float SPAN = 0.03f; // weights lie within plus and minus this, or about

    /** K-quants multiply their scale by a small integer of each group, up to 63 or 127, and that by the value. */
    private static final List<Recipe> QUANTISED = List.of(
            new Recipe(TensorType.Q8_0, 0, SPAN / 127, 0),
            new Recipe(TensorType.Q4_0, 0, SPAN / 8, 0),
            new Recipe(TensorType.Q4_1, 0, SPAN / 8, -SPAN),
            new Recipe(TensorType.Q5_0, 0, SPAN / 16, 0),
            new Recipe(TensorType.Q5_1, 0, SPAN / 16, -SPAN),
            new Recipe(TensorType.IQ4_NL, 0, SPAN / 127, 0),
            new Recipe(TensorType.Q4_K, 0, 2 * SPAN / 15 / 63, SPAN / 63),
            new Recipe(TensorType.Q5_K, 0, 2 * SPAN / 31 / 63, SPAN / 63),
            new Recipe(TensorType.Q6_K, 208, SPAN / 32 / 127, 0));

    private static final int BYTES = 1 << 20; // drawn once and repeated from random places

    private RandomBlocks() {}

    /**
     * The type a name of a command line means.
     *
     * @throws IllegalArgumentException naming the types there are
     */
    public static TensorType type(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        return types().stream()
                .filter(type -> type.name().equals(upper))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "no random weights of type %s; there are %s".formatted(name, names())));
    }

    /** The names of all types, for messages. */
    public static String names() {
        return types().stream()
                .map(type -> type.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "));
    }

    private static List<TensorType> types() {
        return Stream.concat(
                        List.of(TensorType.F32, TensorType.F16, TensorType.BF16).stream(),
                        QUANTISED.stream().map(Recipe::type))
                .toList();
    }

    /** About a megabyte of whole blocks. */
    static byte[] of(TensorType type, long seed) {
        int block = type.blockBytes();
        ByteBuffer blocks = ByteBuffer.allocate(BYTES / block * block).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom random = new SplittableRandom(seed);
        Optional<Recipe> recipe =
                QUANTISED.stream().filter(known -> known.type() == type).findFirst();
        while (blocks.hasRemaining()) {
            switch (type) {
                case F32 -> blocks.putFloat(value(random));
                case F16 -> blocks.putShort(Float.floatToFloat16(value(random)));
                case BF16 -> blocks.putShort((short) (Float.floatToRawIntBits(value(random)) >>> 16));
                default ->
                    quantised(
                            blocks,
                            recipe.orElseThrow(() -> new IllegalArgumentException(
                                    "no random weights of type %s; there are %s".formatted(type, names()))),
                            random);
            }
        }
        return blocks.array();
    }

    private static float value(SplittableRandom random) {
        return (float) random.nextDouble(-SPAN, SPAN);
    }

    private static void quantised(ByteBuffer blocks, Recipe recipe, SplittableRandom random) {
        int scale = blocks.position() + recipe.scaleAt();
        for (int i = 0; i < recipe.type().blockBytes(); i++) {
            blocks.put((byte) random.nextInt(-127, 128));
        }
        blocks.putShort(scale, Float.floatToFloat16(recipe.scale()));
        if (recipe.offset() != 0) {
            blocks.putShort(scale + Short.BYTES, Float.floatToFloat16(recipe.offset()));
        }
    }
}
