package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Vocabularies of real models against the tokens that their own tokenizers give. */
class PublishedVectorsTest {

    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "gpt-2", "qwen2"})
    void everyVectorOfAPublishedVocabularyIsReproduced(String name) {
        String file = "tokenizers/ggml-vocab-" + name + ".gguf";
        Tokenizer tokenizer = PublishedFiles.tokenizer(file);
        String[] inputs = PublishedFiles.text(file + ".inp").split("\n__ggml_vocab_test__\n", -1);
        List<String> outputs = PublishedFiles.text(file + ".out").lines().toList();
        assertThat(outputs).hasSize(46);
        for (int i = 0; i < outputs.size(); i++) {
            int[] expected = ids(outputs.get(i));
            assertThat(tokenizer.encode(inputs[i], EncodeOptions.PLAIN))
                    .as("vector %d, \"%s\"", i, inputs[i])
                    .containsExactly(expected);
            assertThat(tokenizer.decode(expected)).isEqualTo(inputs[i]);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "stories260K/derived/stories260K-f32.gguf, stories260K/derived/golden_greedy.dev.json",
        "stories260K/derived/stories260K-f16.gguf, stories260K/derived/golden_greedy.dev.json",
        "stories260K/derived/stories260K-q8_0.gguf, stories260K/derived/golden_greedy.dev.json",
        "llama-2-tiny-random/llama-2-tiny-random.gguf, llama-2-tiny-random/golden_greedy.json",
    })
    void theGoldenPromptsOfAModelGetTheirTokens(String model, String goldens) {
        Tokenizer tokenizer = PublishedFiles.tokenizer("models/" + model);
        for (JsonNode golden : PublishedFiles.json("models/" + goldens).get("cases")) {
            String prompt = golden.get("prompt").asString();
            int[] expected = new int[golden.get("prompt_ids").size()];
            Arrays.setAll(expected, i -> golden.get("prompt_ids").get(i).asInt());
            assertThat(tokenizer.encode(prompt, EncodeOptions.PROMPT))
                    .as(prompt)
                    .containsExactly(expected);
            assertThat(tokenizer.decode(expected)).isEqualTo(prompt);
        }
    }

    @Test
    void generatedTokensPrintAsTheReferencePrintsThem() {
        Tokenizer tokenizer = PublishedFiles.tokenizer("models/stories260K/derived/stories260K-f32.gguf");
        for (JsonNode golden : PublishedFiles.json("models/stories260K/derived/golden_greedy.dev.json")
                .get("cases")) {
            if (golden.get("text").isNull()) {
                continue;
            }
            int[] prompt = golden.get("prompt_ids").values().stream()
                    .mapToInt(JsonNode::asInt)
                    .toArray();
            IncrementalDetokenizer detokenizer = tokenizer.detokenizer(prompt);
            StringBuilder text = new StringBuilder(tokenizer.decode(prompt));
            golden.get("output_ids").forEach(id -> text.append(detokenizer.append(id.asInt())));
            assertThat(text.append(detokenizer.finish()).toString())
                    .isEqualTo(golden.get("text").asString());
        }
    }

    private static int[] ids(String line) {
        return Arrays.stream(line.trim().split(" +"))
                .filter(id -> !id.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
    }
}
