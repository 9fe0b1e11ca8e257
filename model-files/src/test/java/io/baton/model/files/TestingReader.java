package io.baton.model.files;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** Asks a model for everything it has, as all its users together would. */
final class TestingReader {

    /** Far above what a small file takes and far below what a made-up number could ask for. */
    private static final long MAX_ALLOCATED_BYTES = 8 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private TestingReader() {}

    /** Ends in a whole model or in a {@link ModelFileException} that names what was opened; anything else is thrown. */
    static void readEverything(Path path) {
        if (bytesAllocatedReading(path) > MAX_ALLOCATED_BYTES) { // perhaps by loading classes, which happens once
            assertThat(bytesAllocatedReading(path)).isLessThan(MAX_ALLOCATED_BYTES);
        }
    }

    private static long bytesAllocatedReading(Path path) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        try (ModelFile model = ModelFile.open(path)) {
            for (Tensor tensor : model.tensors()) {
                assertThat(tensor.rows() * tensor.rowBytes())
                        .isEqualTo(tensor.bytes().byteSize());
            }
            assertThat(model.tokenizerDigest()).hasSize(32);
            assertThat(model.weightsDigest()).hasSize(32);
            read(model.metadata());
        } catch (ModelFileException e) {
            assertThat(e).hasMessageStartingWith(path.toString());
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private static void read(ModelMetadata metadata) {
        metadata.keys()
                .names()
                .forEach(name -> assertThat(metadata.keys().describe(name)).isPresent());
        assertThat(metadata.name()).isNotNull();
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
    }
}
