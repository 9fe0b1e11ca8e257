package io.baton.model.files;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The sizes of a model. Each is read when asked for, so that a file of an architecture nobody computes can still say
 * what it is; a size that is missing or out of any sensible range is a {@link ModelFileException}.
 */
public final class ModelMetadata {

    // What no model of today comes near, but whose product still fits a long.
    private static final long MAX_LAYERS = 1 << 12;
    private static final long MAX_WIDTH = 1 << 20;
    private static final long MAX_CONTEXT = 1 << 28;
    private static final long MAX_VOCABULARY = 1 << 24;

    /** GGUF architectures whose converter permutes query and key rows to make pairs adjacent (ggml's "norm" rope). */
    private static final Set<String> ADJACENT_PAIRS = Set.of(
            "llama",
            "llama4",
            "deci",
            "minicpm",
            "internlm2",
            "granite",
            "command-r",
            "cohere2",
            "olmo",
            "smollm3",
            "arcee",
            "xverse",
            "baichuan",
            "orion");

    private final ModelKeys keys;
    private final Map<String, Tensor> tensors;
    private final RopePairs pairs;
    private final String architecture;

    private ModelMetadata(ModelKeys keys, Map<String, Tensor> tensors, RopePairs pairs, String architecture) {
        this.keys = keys;
        this.tensors = tensors;
        this.pairs = pairs;
        this.architecture = architecture;
    }

    static ModelMetadata ofGguf(Path path, ModelKeys keys, Map<String, Tensor> tensors) {
        String architecture = keys.text("general.architecture")
                .orElseThrow(() -> ModelFileException.field(
                        path, "general.architecture", "nothing", "the name of the model's architecture"));
        RopePairs pairs = ADJACENT_PAIRS.contains(architecture) ? RopePairs.ADJACENT : RopePairs.HALVES;
        return new ModelMetadata(keys, tensors, pairs, architecture);
    }

    /** Keys translated from a Hugging Face configuration. */
    static ModelMetadata ofHuggingFace(String architecture, ModelKeys keys, Map<String, Tensor> tensors) {
        return new ModelMetadata(keys, tensors, RopePairs.HALVES, architecture);
    }

    /** E.g. {@code llama}. */
    public String architecture() {
        return architecture;
    }

    /** For people; the architecture when the file gives no name. */
    public String name() {
        return keys.text("general.name").orElse(architecture);
    }

    /** Transformer blocks. */
    public int layers() {
        return required("block_count", MAX_LAYERS);
    }

    /** Width of the residual stream. */
    public int dim() {
        return required("embedding_length", MAX_WIDTH);
    }

    /** Width of the feed-forward layer. */
    public int hiddenDim() {
        return required("feed_forward_length", MAX_WIDTH);
    }

    /** Query heads. */
    public int heads() {
        return required("attention.head_count", MAX_WIDTH);
    }

    /** Key and value heads. */
    public int kvHeads() {
        return contains("attention.head_count_kv") ? required("attention.head_count_kv", MAX_WIDTH) : heads();
    }

    /** Values per head of queries and keys. */
    public int headDim() {
        return contains("attention.key_length") ? required("attention.key_length", MAX_WIDTH) : widthPerHead();
    }

    /** Values per head of values; differs from {@link #headDim()} in few architectures. */
    public int valueDim() {
        return contains("attention.value_length") ? required("attention.value_length", MAX_WIDTH) : widthPerHead();
    }

    private int widthPerHead() {
        int dim = dim();
        int heads = heads();
        if (heads > dim) {
            throw keys.wrong(key("attention.head_count"), heads, "at most the width, " + dim);
        }
        return dim / heads;
    }

    /** Positions the model was trained for. */
    public int contextLength() {
        return required("context_length", MAX_CONTEXT);
    }

    /** Rows of the embedding, which may be more than the vocabulary has entries. */
    public int vocabularySize() {
        Tensor embedding = tensors.get("token_embd.weight");
        if (embedding != null) {
            if (embedding.rows() > MAX_VOCABULARY) {
                throw keys.wrong("token_embd.weight", embedding.rows() + " rows", "at most " + MAX_VOCABULARY);
            }
            return (int) embedding.rows();
        }
        if (contains("vocab_size")) {
            return required("vocab_size", MAX_VOCABULARY);
        }
        return keys.array("tokenizer.ggml.tokens")
                .map(KeyArray::length)
                .orElseThrow(() -> keys.missing(key("vocab_size"), "the size of the vocabulary"));
    }

    /** The epsilon of RMSNorm. */
    public float normEpsilon() {
        String key = key("attention.layer_norm_rms_epsilon");
        double epsilon = keys.number(key).orElseThrow(() -> keys.missing(key, "the epsilon of RMSNorm"));
        if (!(epsilon >= 0 && epsilon < 1)) {
            throw keys.wrong(key, epsilon, "a number from 0 to 1");
        }
        return (float) epsilon;
    }

    /** Whether the output matrix is the embedding. */
    public boolean tiedOutput() {
        return !tensors.containsKey("output.weight");
    }

    /** How positions enter the model. */
    public RopeParameters rope() {
        int dimensions = contains("rope.dimension_count") ? required("rope.dimension_count", MAX_WIDTH) : headDim();
        if (dimensions % 2 != 0) {
            throw keys.wrong(key("rope.dimension_count"), dimensions, "an even number");
        }
        double base = keys.number(key("rope.freq_base")).orElse(10_000);
        if (!(base > 0 && base < Double.POSITIVE_INFINITY)) {
            throw keys.wrong(key("rope.freq_base"), base, "a positive number");
        }
        return new RopeParameters(dimensions, base, pairs, scaling(), frequencyFactors(dimensions));
    }

    /**
     * Why cached keys and values of this model would be wrong as soon as the text grows, in words for whoever tried to
     * load it; empty for causal models with fixed positions.
     */
    public Optional<String> cachingObstacle() {
        if (keys.flag(key("encoder_decoder")).orElse(false)) {
            return Optional.of(CausalityRules.encoderDecoder(architecture));
        }
        if (!keys.flag(key("attention.causal")).orElse(true)) {
            return Optional.of(CausalityRules.encoderOnly(architecture));
        }
        return CausalityRules.obstacle(architecture)
                .or(() -> scaling() instanceof RopeScaling.Unsupported found
                        ? Optional.of(
                                "rope scaling %s: %s; expected none, linear, yarn or llama3; choose a model that has it"
                                        .formatted(found.type(), found.reason()))
                        : Optional.empty());
    }

    /** Everything else the file says, by GGUF's key names. */
    public ModelKeys keys() {
        return keys;
    }

    private RopeScaling scaling() {
        String type = keys.text(key("rope.scaling.type")).orElse("");
        double oldLinear = keys.number(key("rope.scale_linear")).orElse(1);
        double factor = keys.number(key("rope.scaling.factor")).orElse(oldLinear);
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw keys.wrong(key("rope.scaling.factor"), factor, "a positive number");
        }
        return switch (type) {
            case "none" -> new RopeScaling.None();
            case "", "linear" -> factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor);
            case "yarn" ->
                new RopeScaling.Yarn(
                        factor,
                        (int) keys.integer(key("rope.scaling.original_context_length"), 1, MAX_CONTEXT)
                                .orElse(contextLength()),
                        keys.number(key("rope.scaling.yarn_beta_fast")).orElse(32),
                        keys.number(key("rope.scaling.yarn_beta_slow")).orElse(1),
                        attentionFactor(factor));
            default -> new RopeScaling.Unsupported(type, CausalityRules.scalingObstacle(type));
        };
    }

    /** The final factor as Hugging Face writes it, or GGUF's, which multiplies the paper's. */
    private double attentionFactor(double factor) {
        double correction = keys.number(key("rope.scaling.yarn_attn_factor"))
                .orElse(keys.number(key("rope.scaling.attn_factor")).orElse(0));
        return keys.number(key("rope.scaling.attention_factor")).orElse(correction * (0.1 * Math.log(factor) + 1));
    }

    private float[] frequencyFactors(int dimensions) {
        Tensor factors = tensors.get("rope_freqs.weight");
        if (factors == null) {
            return new float[0];
        }
        if (factors.type() != TensorType.F32 || factors.elements() != dimensions / 2) {
            throw keys.wrong("rope_freqs.weight", factors, "F32[%d]".formatted(dimensions / 2));
        }
        float[] values = new float[dimensions / 2];
        for (int i = 0; i < values.length; i++) {
            values[i] = factors.bytes().get(KeyArray.FLOAT, (long) i * Float.BYTES);
            if (!(values[i] > 0 && values[i] < Float.POSITIVE_INFINITY)) {
                throw keys.wrong("rope_freqs.weight", values[i], "positive numbers");
            }
        }
        return values;
    }

    private boolean contains(String suffix) {
        return keys.contains(key(suffix));
    }

    private int required(String suffix, long most) {
        String key = key(suffix);
        if (keys.isArray(key)) {
            return sameForEveryLayer(key, most);
        }
        OptionalLong value = keys.integer(key, 1, most);
        return (int) value.orElseThrow(() -> keys.missing(key, "an integer"));
    }

    private int sameForEveryLayer(String key, long most) {
        KeyArray array = keys.array(key).orElseThrow();
        int[] perLayer = array.numeric() ? array.ints() : new int[0];
        if (perLayer.length == 0) {
            throw keys.wrong(key, array, "an integer");
        }
        for (int value : perLayer) {
            if (value != perLayer[0] || value < 1 || value > most) {
                throw keys.wrong(key, "values that differ by layer", "one value for all layers");
            }
        }
        return perLayer[0];
    }

    private String key(String suffix) {
        return architecture + "." + suffix;
    }
}
