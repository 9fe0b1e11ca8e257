package io.baton.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the files of a folder hold, opening ends in a model or in a {@link ModelFileException}. */
class HostileFolderTest {

    private static final String[] VALUES = {
        "null",
        "-1",
        "0",
        "1e400",
        "9223372036854775808",
        "4294967296",
        "16777216",
        "[]",
        "{}",
        "\"x\"",
        "\"\"",
        "true",
        "[[1]]",
        "\"\\ud800\"",
        "1.5"
    };

    private final Random random = new Random(9);

    @TempDir
    Path folder;

    @BeforeEach
    void classesAreLoaded() {
        TestingFolder.whole(folder).open().close(); // or the first round would count what loading them allocates
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "tokenizer.json", "generation_config.json"})
    void mutatedJsonNeverCausesAnythingButAModelFileException(String name) {
        TestingFolder whole = TestingFolder.whole(folder);
        String original = switch (name) {
            case "config.json" -> TestingFolder.CONFIG;
            case "tokenizer.json" -> TestingFolder.TOKENIZER;
            default -> "{\"eos_token_id\": [2, 8]}";
        };
        for (int round = 0; round < 500; round++) {
            whole.file(name, mutated(original));
            accept();
        }
    }

    @Test
    void mutatedWeightsNeverCauseAnythingButAModelFileException() {
        TestingFolder whole = TestingFolder.whole(folder);
        byte[] original = TestingFolder.weights(1);
        int header = Long.BYTES
                + (int) ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        for (int round = 0; round < 500; round++) {
            byte[] bytes = original.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                bytes[random.nextInt(header)] =
                        (byte) (random.nextBoolean() ? '0' + random.nextInt(10) : random.nextInt(256));
            }
            whole.file("model.safetensors", bytes);
            accept();
        }
    }

    @Test
    void weightsCutAtAnyByteAreRefused() {
        TestingFolder whole = TestingFolder.whole(folder);
        byte[] original = TestingFolder.weights(1);
        for (int length = 0; length < original.length; length += 1 + random.nextInt(16)) {
            whole.file("model.safetensors", Arrays.copyOf(original, length));
            assertThatThrownBy(whole::open).isInstanceOf(ModelFileException.class);
        }
    }

    @Test
    void deepAndEndlessJsonIsRefusedWithItsPlace() {
        TestingFolder whole = TestingFolder.whole(folder).file("config.json", "{\"a\":".repeat(100_000));
        assertThatThrownBy(whole::open)
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("config.json: at byte");
        whole.file("config.json", "\"" + "x".repeat(5 << 20) + "\"");
        assertThatThrownBy(whole::open).hasMessageContaining("more than 4194304 bytes");
        byte[] header = "\377\377\377\177\0\0\0\0{}".getBytes(StandardCharsets.ISO_8859_1);
        TestingFolder.whole(folder).file("model.safetensors", header);
        assertThatThrownBy(whole::open)
                .hasMessageContaining("at byte 0, header length: found 2147483647, expected 2 to 2");
    }

    private String mutated(String original) {
        StringBuilder text = new StringBuilder(original);
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(5)) {
                case 0 -> text.setCharAt(at, (char) random.nextInt(256));
                case 1 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(8)));
                case 2 -> text.insert(at, text.substring(at, Math.min(text.length(), at + random.nextInt(40))));
                default -> replaceValue(text, at);
            }
            if (text.isEmpty()) {
                break;
            }
        }
        return text.toString();
    }

    /** Puts another value behind the first colon after {@code at}: what remains is often still JSON. */
    private void replaceValue(StringBuilder text, int at) {
        int colon = text.indexOf(":", at);
        int end = colon < 0 ? -1 : text.indexOf(",", colon);
        if (end > 0) {
            text.replace(colon + 1, end, VALUES[random.nextInt(VALUES.length)]);
        }
    }

    private void accept() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try (ModelFile model = ModelFile.open(folder)) {
            ModelMetadata metadata = model.metadata();
            metadata.cachingObstacle();
            metadata.rope().describe();
            metadata.layers();
            metadata.kvHeads();
            metadata.vocabularySize();
            metadata.normEpsilon();
            assertThat(model.weightsDigest()).hasSize(32);
            assertThat(model.tokenizerDigest()).hasSize(32);
        } catch (ModelFileException e) {
            assertThat(e).hasMessageStartingWith(folder.toString());
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(8 << 20);
    }
}
