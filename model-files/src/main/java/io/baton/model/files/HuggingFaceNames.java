package io.baton.model.files;

import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Translates Hugging Face's tensor names to GGUF's. */
final class HuggingFaceNames {

    private static final Pattern LAYER = Pattern.compile("(?:model\\.)?layers\\.(\\d{1,5})\\.(.+)\\.(weight|bias)");

    private static final Map<String, String> IN_LAYER = Map.ofEntries(
            Map.entry("self_attn.q_proj", "attn_q"),
            Map.entry("self_attn.k_proj", "attn_k"),
            Map.entry("self_attn.v_proj", "attn_v"),
            Map.entry("self_attn.o_proj", "attn_output"),
            Map.entry("self_attn.q_norm", "attn_q_norm"),
            Map.entry("self_attn.k_norm", "attn_k_norm"),
            Map.entry("mlp.gate_proj", "ffn_gate"),
            Map.entry("mlp.up_proj", "ffn_up"),
            Map.entry("mlp.down_proj", "ffn_down"),
            Map.entry("input_layernorm", "attn_norm"),
            Map.entry("post_attention_layernorm", "ffn_norm"));

    private static final Map<String, String> OUTSIDE = Map.of(
            "model.embed_tokens.weight", "token_embd.weight",
            "embed_tokens.weight", "token_embd.weight",
            "model.norm.weight", "output_norm.weight",
            "norm.weight", "output_norm.weight",
            "lm_head.weight", "output.weight");

    private HuggingFaceNames() {}

    /** The canonical name; the name itself for a tensor we know nothing of; empty for a buffer that is not a weight. */
    static Optional<String> canonical(String name) {
        if (name.endsWith(".rotary_emb.inv_freq")) {
            return Optional.empty();
        }
        String outside = OUTSIDE.get(name);
        if (outside != null) {
            return Optional.of(outside);
        }
        Matcher layer = LAYER.matcher(name);
        if (layer.matches()) {
            String part = IN_LAYER.get(layer.group(2));
            if (part != null) {
                return Optional.of("blk.%d.%s.%s".formatted(Integer.parseInt(layer.group(1)), part, layer.group(3)));
            }
        }
        return Optional.of(name);
    }
}
