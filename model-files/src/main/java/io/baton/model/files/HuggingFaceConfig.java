package io.baton.model.files;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;

/** Translates a model folder's {@code config.json} to GGUF's keys. Used by one thread. */
final class HuggingFaceConfig {

    private static final int MAX_BYTES = 4 << 20;

    /** Model types that compute the same function as another. */
    private static final Map<String, String> ALIASES = Map.of("mistral", "llama");

    /** Architectures that are one function but for the settings checked here. */
    private static final Set<String> LLAMA_LIKE = Set.of("llama", "qwen2", "qwen3");

    private final JsonFields config;
    private final String architecture;
    private final Map<String, ModelKeys.Entry> entries = new LinkedHashMap<>();
    private final Map<String, String> writtenAs = new LinkedHashMap<>();

    private HuggingFaceConfig(JsonFields config) {
        this.config = config;
        String type = config.requireText("model_type");
        architecture = ALIASES.getOrDefault(type, type);
    }

    /** Reads the configuration of a folder. */
    static HuggingFaceConfig read(Path folder) {
        HuggingFaceConfig read = new HuggingFaceConfig(JsonFields.read(folder.resolve("config.json"), MAX_BYTES));
        read.refuseWhatWeightsDoNotShow();
        read.translate(folder);
        return read;
    }

    JsonFields fields() {
        return config;
    }

    String architecture() {
        return architecture;
    }

    ModelKeys keys() {
        return new ModelKeys(config.file(), entries, writtenAs);
    }

    /** Whether the configuration says that the output matrix is the embedding. */
    boolean tied() {
        return config.flag("tie_word_embeddings").orElse(false);
    }

    /** Settings that change the function, but not the names or shapes of the weights. */
    private void refuseWhatWeightsDoNotShow() {
        config.object("quantization_config").ifPresent(found -> {
            throw config.wrong(
                    "quantization_config",
                    found.text("quant_method").orElse("a quantised model"),
                    "unquantised weights; take those, or a GGUF file of the model");
        });
        long window = config.flag("use_sliding_window").orElse(true)
                ? config.integer("sliding_window").orElse(Long.MAX_VALUE)
                : Long.MAX_VALUE;
        if (LLAMA_LIKE.contains(architecture)
                && window < config.integer("max_position_embeddings").orElse(0)) {
            throw config.wrong(
                    "sliding_window",
                    window,
                    "none, as every token attends to all before it here; choose a model without one");
        }
        String activation = config.text("hidden_act").orElse("silu");
        if (LLAMA_LIKE.contains(architecture) && !activation.equals("silu") && !activation.equals("swish")) {
            throw config.wrong("hidden_act", activation, "silu; choose a model that has it");
        }
    }

    private void translate(Path folder) {
        put("general.architecture", architecture, "model_type");
        Path name = folder.toAbsolutePath().normalize().getFileName();
        put("general.name", name == null ? architecture : name.toString(), "the folder's name");
        integer("hidden_size", "embedding_length");
        integer("num_hidden_layers", "block_count");
        integer("intermediate_size", "feed_forward_length");
        integer("num_attention_heads", "attention.head_count");
        integer("num_key_value_heads", "attention.head_count_kv");
        integer("head_dim", "attention.key_length");
        integer("head_dim", "attention.value_length");
        integer("max_position_embeddings", "context_length");
        integer("vocab_size", "vocab_size");
        integer("num_local_experts", "expert_count");
        number(config, "rms_norm_eps", "attention.layer_norm_rms_epsilon");
        config.flag("is_causal").ifPresent(causal -> put(key("attention.causal"), causal, "is_causal"));
        config.flag("is_encoder_decoder").ifPresent(both -> put(key("encoder_decoder"), both, "is_encoder_decoder"));
        writtenAs.put(key("rope.dimension_count"), "partial_rotary_factor");
        OptionalDouble part = config.number("partial_rotary_factor");
        if (part.isPresent() && part.getAsDouble() != 1) {
            int headDim =
                    ModelMetadata.ofHuggingFace(architecture, keys(), Map.of()).headDim();
            put(key("rope.dimension_count"), (long) (headDim * part.getAsDouble()), "partial_rotary_factor");
        }
        number(config, "rope_theta", "rope.freq_base");
        ropeSettings().ifPresent(this::translateRope);
    }

    private Optional<JsonFields> ropeSettings() {
        return config.object("rope_scaling").or(() -> config.object("rope_parameters"));
    }

    private static String ropeType(JsonFields rope) {
        return rope.text("rope_type").or(() -> rope.text("type")).orElse("default");
    }

    private void translateRope(JsonFields rope) {
        number(rope, "rope_theta", "rope.freq_base");
        switch (ropeType(rope)) {
            case "default", "llama3" -> {} // Llama 3's scaling is in the frequency factors
            case String type -> {
                put(key("rope.scaling.type"), type, "rope_scaling.rope_type");
                number(rope, "factor", "rope.scaling.factor");
                number(rope, "beta_fast", "rope.scaling.yarn_beta_fast");
                number(rope, "beta_slow", "rope.scaling.yarn_beta_slow");
                number(rope, "attention_factor", "rope.scaling.attention_factor");
                rope.integer("original_max_position_embeddings")
                        .ifPresent(length -> put(
                                key("rope.scaling.original_context_length"),
                                length,
                                "rope_scaling.original_max_position_embeddings"));
            }
        }
    }

    /**
     * Llama 3.1's scaling as a divisor for each pair: low frequencies are divided by {@code factor}, high ones stay,
     * with a ramp between. Computed in float, as converters to GGUF do, so that both forms of a model rotate alike.
     * Empty when the model has none.
     */
    float[] frequencyFactors(ModelMetadata metadata) {
        Optional<JsonFields> settings =
                ropeSettings().filter(rope -> ropeType(rope).equals("llama3"));
        if (settings.isEmpty()) {
            return new float[0];
        }
        JsonFields rope = settings.get();
        float factor = positive(rope, "factor");
        float low = positive(rope, "low_freq_factor");
        float high = positive(rope, "high_freq_factor");
        float context = positive(rope, "original_max_position_embeddings");
        if (low >= high) {
            throw rope.wrong("low_freq_factor", low, "less than high_freq_factor " + high);
        }
        RopeParameters unscaled = metadata.rope();
        float[] factors = new float[unscaled.dimensions() / 2];
        for (int i = 0; i < factors.length; i++) {
            float exponent = (float) (2 * i) / unscaled.dimensions();
            float frequency = 1 / (float) StrictMath.pow((float) unscaled.base(), exponent);
            float wavelength = (float) (2 * Math.PI) / frequency;
            if (wavelength < context / high) {
                factors[i] = 1;
            } else if (wavelength > context / low) {
                factors[i] = factor;
            } else {
                float smooth = (context / wavelength - low) / (high - low);
                factors[i] = 1 / ((1 - smooth) / factor + smooth);
            }
        }
        return factors;
    }

    private static float positive(JsonFields rope, String name) {
        OptionalDouble value = rope.number(name);
        if (value.isEmpty() || !((float) value.getAsDouble() > 0) || value.getAsDouble() > Float.MAX_VALUE) {
            throw rope.wrong(
                    name, value.isPresent() ? value.getAsDouble() : "nothing", "a positive number, as Llama 3 scales");
        }
        return (float) value.getAsDouble();
    }

    private void integer(String name, String suffix) {
        OptionalLong value = config.integer(name);
        writtenAs.put(key(suffix), name);
        value.ifPresent(found -> put(key(suffix), found, name));
    }

    private void number(JsonFields from, String name, String suffix) {
        OptionalDouble value = from.number(name);
        writtenAs.putIfAbsent(key(suffix), name);
        value.ifPresent(found -> put(key(suffix), found, name));
    }

    private void put(String key, Object value, String name) {
        entries.put(key, new ModelKeys.Entry(value, -1));
        writtenAs.put(key, name);
    }

    private String key(String suffix) {
        return architecture + "." + suffix;
    }
}
