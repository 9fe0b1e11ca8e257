package io.baton.model.files;

import java.util.List;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/**
 * Which tokens a {@code tokenizer.json}'s post-processor puts around a text.
 *
 * @param templated whether there is a template at all
 */
record HuggingFaceEnds(boolean templated, OptionalInt bos, OptionalInt eos) {

    static HuggingFaceEnds of(JsonFields tokenizer, List<String> tokens) {
        HuggingFaceEnds ends = new HuggingFaceEnds(false, OptionalInt.empty(), OptionalInt.empty());
        for (JsonFields step : HuggingFacePipeline.flattened(tokenizer, "post_processor", "processors")) {
            String type = step.requireText("type");
            switch (type) {
                case "ByteLevel" -> {} // moves offsets only
                case "TemplateProcessing" -> ends = template(step, tokens);
                default -> throw step.wrong("type", type, "ByteLevel or TemplateProcessing");
            }
        }
        return ends;
    }

    private static HuggingFaceEnds template(JsonFields step, List<String> tokens) {
        OptionalInt bos = OptionalInt.empty();
        OptionalInt eos = OptionalInt.empty();
        boolean afterText = false;
        for (JsonFields piece : step.objects("single")) {
            if (piece.object("Sequence").isPresent()) {
                afterText = true;
                continue;
            }
            OptionalInt token = token(step, piece, tokens);
            if ((afterText ? eos : bos).isPresent()) {
                throw step.wrong("single", "several tokens on one side of the text", "at most one on each");
            }
            if (afterText) {
                eos = token;
            } else {
                bos = token;
            }
        }
        return new HuggingFaceEnds(true, bos, eos);
    }

    private static OptionalInt token(JsonFields step, JsonFields piece, List<String> tokens) {
        String name = piece.object("SpecialToken")
                .orElseThrow(() -> step.wrong("single", "a piece of another kind", "SpecialToken or Sequence"))
                .requireText("id");
        List<JsonNode> ids = step.object("special_tokens")
                .flatMap(special -> special.object(name))
                .map(special -> special.array("ids"))
                .orElse(List.of());
        if (ids.size() != 1
                || !ids.getFirst().canConvertToInt()
                || ids.getFirst().asInt() < 0
                || ids.getFirst().asInt() >= tokens.size()) {
            throw step.wrong("special_tokens." + name, ids, "one id of the vocabulary");
        }
        return OptionalInt.of(ids.getFirst().asInt());
    }
}
