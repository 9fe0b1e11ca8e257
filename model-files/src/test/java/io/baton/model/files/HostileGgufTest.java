package io.baton.model.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whatever the bytes, reading ends in a model or in a {@link ModelFileException}, and takes memory in proportion to
 * them.
 */
class HostileGgufTest {

    private static final Path NAME = Path.of("hostile.gguf");

    private final byte[] whole = TestingModels.bytes(TestingModels.llama(1));
    private final Random random = new Random(5);

    @Test
    void aFileCutAtAnyByteIsRefused() {
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> readEverything(cut)).isInstanceOf(ModelFileException.class);
        }
    }

    @Test
    void flippedBytesNeverCauseAnythingButAModelFileException() {
        for (int round = 0; round < 20_000; round++) {
            byte[] mutated = whole.clone();
            int flips = 1 + random.nextInt(4);
            for (int i = 0; i < flips; i++) {
                int at = random.nextInt(mutated.length);
                mutated[at] = random.nextInt(3) == 0 ? (byte) 0xFF : (byte) random.nextInt(256);
            }
            accept(mutated);
        }
    }

    @Test
    void hugeNumbersAnywhereInTheHeadAllocateNothing() {
        long[] numbers = {-1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 62, 1L << 40, Integer.MAX_VALUE, 0xFFFF_FFFFL};
        int head = TestingModels.bytes(TestingModels.keys("llama")).length + 400;
        for (long number : numbers) {
            for (int at = 0; at < head; at++) {
                byte[] mutated = whole.clone();
                ByteBuffer.wrap(mutated).order(ByteOrder.LITTLE_ENDIAN).putLong(at, number);
                accept(mutated);
            }
        }
    }

    @Test
    void theMessageNamesFileOffsetAndField() {
        byte[] mutated = whole.clone();
        ByteBuffer.wrap(mutated).order(ByteOrder.LITTLE_ENDIAN).putLong(8, 1L << 50);
        assertThatThrownBy(() -> readEverything(mutated))
                .hasMessageMatching(
                        "hostile.gguf: at byte 8, tensor count: found 1125899906842624, expected at most \\d+; fetch or convert the model again, or choose another");
        assertThatThrownBy(() -> readEverything(Arrays.copyOf(whole, whole.length - 1)))
                .hasMessageContaining("rope_freqs.weight offset")
                .hasMessageContaining("truncated");
        assertThatThrownBy(() -> readEverything("PK not a model".getBytes(StandardCharsets.UTF_8)))
                .hasMessageContaining("at byte 0, magic")
                .hasMessageContaining("GGUF");
        byte[] bigEndian = whole.clone();
        ByteBuffer.wrap(bigEndian).putInt(4, 3);
        assertThatThrownBy(() -> readEverything(bigEndian)).hasMessageContaining("big-endian");
    }

    @Test
    void aTokenLongEnoughToMakeItsSplitsCostlyIsRefused() {
        byte[] bytes = TestingModels.bytes(new GgufWriter()
                .text("general.architecture", "llama")
                .text("tokenizer.ggml.model", "llama")
                .texts("tokenizer.ggml.tokens", List.of("a", "a".repeat(1 << 20))));
        assertThatThrownBy(() -> readEverything(bytes))
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("1048576 characters for token 1, expected at most 1024");
    }

    @Test
    void aMissingFileOrAFolderIsRefused(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> ModelFile.open(folder.resolve("absent.gguf")))
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("no such file");
        Files.write(folder.resolve("empty.gguf"), new byte[0]);
        assertThatThrownBy(() -> ModelFile.open(folder.resolve("empty.gguf")))
                .isInstanceOf(ModelFileException.class)
                .hasMessageContaining("magic");
    }

    private static void accept(byte[] bytes) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            readEverything(bytes);
        } catch (ModelFileException e) {
            assertThat(e).hasMessageStartingWith("hostile.gguf: ");
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(8 << 20);
    }

    private static void readEverything(byte[] bytes) {
        try (ModelFile model = GgufReader.read(NAME, Arena.ofConfined(), MemorySegment.ofArray(bytes))) {
            for (Tensor tensor : model.tensors()) {
                assertThat(tensor.rows() * tensor.rowBytes())
                        .isEqualTo(tensor.bytes().byteSize());
            }
            assertThat(model.tokenizerDigest()).hasSize(32);
            ModelMetadata metadata = model.metadata();
            assertThat(metadata.name()).isNotNull();
            metadata.keys()
                    .names()
                    .forEach(name -> assertThat(metadata.keys().describe(name)).isPresent());
            metadata.cachingObstacle();
            metadata.layers();
            metadata.dim();
            metadata.hiddenDim();
            metadata.heads();
            metadata.kvHeads();
            metadata.headDim();
            metadata.valueDim();
            metadata.contextLength();
            metadata.vocabularySize();
            metadata.normEpsilon();
            metadata.rope().describe();
            assertThat(model.weightsDigest()).hasSize(32);
        }
    }
}
