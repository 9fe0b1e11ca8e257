package io.baton.bench;

import java.util.Arrays;
import java.util.stream.Collectors;

/** Shapes of well-known models; speed does not depend on the values of weights. */
public enum SyntheticShape {
    TINY("tiny", 256, 4, 8, 4, 32, 512, 4096, 10_000f, 2048),
    M110("110m", 768, 12, 12, 12, 64, 2048, 32_000, 10_000f, 4096),
    LLAMA_3_2_1B("llama-3.2-1b", 2048, 16, 32, 8, 64, 8192, 128_256, 500_000f, 8192),
    LLAMA_3_2_3B("llama-3.2-3b", 3072, 28, 24, 8, 128, 8192, 128_256, 500_000f, 8192),
    LLAMA_3_1_8B("llama-3.1-8b", 4096, 32, 32, 8, 128, 14_336, 128_256, 500_000f, 8192);

    final String label;
    final int dim;
    final int layers;
    final int heads;
    final int kvHeads;
    final int headDim;
    final int hiddenDim;
    final int vocabulary;
    final float ropeBase;
    final int contextLength;

    SyntheticShape(
            String label,
            int dim,
            int layers,
            int heads,
            int kvHeads,
            int headDim,
            int hiddenDim,
            int vocabulary,
            float ropeBase,
            int contextLength) {
        this.label = label;
        this.dim = dim;
        this.layers = layers;
        this.heads = heads;
        this.kvHeads = kvHeads;
        this.headDim = headDim;
        this.hiddenDim = hiddenDim;
        this.vocabulary = vocabulary;
        this.ropeBase = ropeBase;
        this.contextLength = contextLength;
    }

    /** @throws IllegalArgumentException naming the shapes there are */
    public static SyntheticShape of(String label) {
        return Arrays.stream(values())
                .filter(shape -> shape.label.equals(label))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException("no shape named %s; there are %s".formatted(label, labels())));
    }

    /** The names of all shapes, for messages. */
    public static String labels() {
        return Arrays.stream(values()).map(shape -> shape.label).collect(Collectors.joining(", "));
    }
}
