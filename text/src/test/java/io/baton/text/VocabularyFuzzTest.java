package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Whatever vocabulary a GGUF file brings, it is refused by name or gives a tokenizer that takes any text. */
class VocabularyFuzzTest {

    private static final String TEXT = " ab é <s><|end|><tool> \uD800🙂\n12 ab";

    @TempDir
    static Path folder;

    @FuzzTest
    void anyVocabularyIsRefusedOrTakesAnyText(byte[] bytes) throws IOException {
        Path file = Files.write(folder.resolve("fuzzed.gguf"), bytes);
        try (ModelFile model = ModelFile.open(file)) {
            if (model.hasVocabulary()) {
                Tokenizer tokenizer = Tokenizer.of(model.vocabulary());
                take(tokenizer, TEXT);
                take(tokenizer, new String(bytes, StandardCharsets.UTF_8)); // every token is spelled out in the file
                for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                    assertThat(tokenizer.bytes(id)).isNotNull();
                }
            }
        } catch (ModelFileException | TokenizerException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static void take(Tokenizer tokenizer, String text) {
        for (boolean parseSpecial : new boolean[] {false, true}) {
            int[] tokens = tokenizer.encode(text, new EncodeOptions(true, parseSpecial));
            for (int token : tokens) {
                assertThat(token).isBetween(0, tokenizer.vocabularySize() - 1);
            }
            assertThat(tokenizer.decode(tokens)).isNotNull();
        }
    }
}
