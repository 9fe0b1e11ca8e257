package io.baton.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.model.files.ModelFile;
import io.baton.model.files.ModelFileException;
import io.baton.model.files.VocabularyFile;
import io.baton.model.files.VocabularyFile.Merge;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a vocabulary says, it is refused by name or gives a tokenizer that takes any text. */
class HostileVocabularyTest {

    private static final String[] VALUES = {
        "null", "-1", "0", "7", "300", "[]", "{}", "\"\"", "\"a b\"", "\"\\ud800\"", "true", "false", "3"
    };
    private static final EncodeOptions SPECIAL = new EncodeOptions(true, true);

    private final Random random = new Random(13);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gpt2"})
    void mutatedTokenizerFilesAreRefusedOrWork(String model) throws IOException {
        VocabularyFile vocabulary = model.equals("llama")
                ? TestingVocabularies.sentencePiece(List.of("\u2581", "a", "b", "ab", "\u2581ab", "é"))
                : TestingVocabularies.byteLevel("llama-bpe", List.of(new Merge("a", "b"), new Merge("Ġ", "ab")));
        Path file = TestingFolder.write(folder, vocabulary);
        String original = Files.readString(file);
        int working = 0;
        for (int round = 0; round < 400; round++) {
            Files.writeString(file, mutated(original));
            working += works() ? 1 : 0;
        }
        assertThat(working).as("mutations that are still a tokenizer").isBetween(5, 395);
    }

    private boolean works() {
        try (ModelFile model = ModelFile.open(folder)) {
            if (!model.hasVocabulary()) {
                return false;
            }
            Tokenizer tokenizer = Tokenizer.of(model.vocabulary());
            int[] tokens = tokenizer.encode(" ab é <s><|end|><tool> \uD800🙂\n12 ab", SPECIAL);
            assertThat(tokenizer.decode(tokens)).isNotNull();
            for (int id = 0; id < tokenizer.vocabularySize(); id++) {
                assertThat(tokenizer.bytes(id)).isNotNull();
            }
            return true;
        } catch (ModelFileException | TokenizerException e) {
            assertThat(e.getMessage()).isNotBlank();
            return false;
        }
    }

    private String mutated(String original) {
        StringBuilder text = new StringBuilder(original);
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = random.nextInt(text.length() - 8);
            switch (random.nextInt(6)) {
                case 0 -> text.setCharAt(at, (char) (32 + random.nextInt(96)));
                case 1 -> text.delete(at, at + 1 + random.nextInt(8));
                default -> {
                    int colon = text.indexOf(":", at);
                    int end = colon < 0 ? -1 : text.indexOf(",", colon);
                    if (end > 0) {
                        text.replace(colon + 1, end, VALUES[random.nextInt(VALUES.length)]);
                    }
                }
            }
        }
        return text.toString();
    }
}
