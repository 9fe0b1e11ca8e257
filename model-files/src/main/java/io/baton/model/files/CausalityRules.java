package io.baton.model.files;

import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which models' keys and values may be cached at all: those whose old tokens never change when new ones arrive. That
 * takes causal attention and positions that stay.
 */
final class CausalityRules {

    private static final Set<String> ENCODER_ONLY = Set.of(
            "bert",
            "nomic-bert",
            "nomic-bert-moe",
            "jina-bert-v2",
            "jina-bert-v3",
            "modern-bert",
            "neo-bert",
            "eurobert",
            "gemma-embedding",
            "t5encoder",
            "clip",
            "roberta",
            "xlm-roberta",
            "distilbert",
            "albert",
            "electra",
            "deberta",
            "deberta-v2",
            "mpnet",
            "modernbert",
            "neobert",
            "nomic_bert");

    private static final Set<String> ENCODER_DECODER = Set.of(
            "t5", "mt5", "umt5", "bart", "mbart", "pegasus", "marian", "longt5", "whisper", "m2m_100", "t5gemma");

    /** Diffusion models look at the whole text in every step. */
    private static final Set<String> NOT_CAUSAL = Set.of("dream", "llada", "llada-moe", "rnd1");

    private static final Map<String, String> SCALING = Map.of(
            "dynamic",
                    "the base changes with the length of the text, so that old positions are re-indexed and cached keys"
                            + " become wrong",
            "longrope",
                    "the factors change when the text passes the original context, so that cached keys become wrong",
            "su", "the factors change when the text passes the original context, so that cached keys become wrong",
            "rerope", "positions beyond a window are re-indexed, so that cached keys become wrong",
            "self_extend", "positions beyond a window are re-indexed, so that cached keys become wrong");

    private CausalityRules() {}

    static Optional<String> obstacle(String architecture) {
        if (ENCODER_ONLY.contains(architecture)) {
            return Optional.of(encoderOnly(architecture));
        }
        if (ENCODER_DECODER.contains(architecture)) {
            return Optional.of(encoderDecoder(architecture));
        }
        if (NOT_CAUSAL.contains(architecture)) {
            return Optional.of(
                    ("%s rewrites its whole text in every step, so that no key or value can be cached; expected"
                                    + " a decoder-only model; choose one")
                            .formatted(architecture));
        }
        return Optional.empty();
    }

    static String encoderOnly(String architecture) {
        return ("%s is encoder-only: every token attends to later ones, so that each new token changes every cached key and"
                        + " value; expected a decoder-only model; choose one")
                .formatted(architecture);
    }

    static String encoderDecoder(String architecture) {
        return ("%s is an encoder-decoder: its encoder reads the whole input at once, so that a longer input changes every"
                        + " cached key and value; expected a decoder-only model; choose one")
                .formatted(architecture);
    }

    static String scalingObstacle(String type) {
        return SCALING.getOrDefault(type, "not known here");
    }
}
