package io.baton.model.files;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;

/**
 * One model on disk, memory-mapped, whatever its format. Tensors have GGUF's names ({@code token_embd.weight},
 * {@code blk.0.attn_q.weight}) and stay valid until {@link #close()}.
 */
public final class ModelFile implements AutoCloseable {

    private final Path path;
    private final Arena arena;
    private final ModelMetadata metadata;
    private final Map<String, Tensor> tensors;
    private final Optional<VocabularyFile> vocabulary;
    private volatile byte[] weightsDigest = {};

    /** Takes over {@code arena}, in which the tensors' bytes live. */
    ModelFile(
            Path path,
            Arena arena,
            ModelMetadata metadata,
            Map<String, Tensor> tensors,
            Optional<VocabularyFile> vocabulary) {
        this.path = path;
        this.arena = arena;
        this.metadata = metadata;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.vocabulary = vocabulary;
    }

    /**
     * Opens a GGUF file or a Hugging Face model folder.
     *
     * @throws ModelFileException when it cannot be read or is not what it claims to be
     */
    public static ModelFile open(Path path) {
        Arena arena = Arena.ofShared();
        try {
            if (Files.isDirectory(path)) {
                return HuggingFaceReader.read(path, arena);
            }
            if (!Files.isRegularFile(path)) {
                throw new ModelFileException(
                        path, "found no such file, expected a GGUF file or a Hugging Face folder; check the path");
            }
            try (FileChannel channel = FileChannel.open(path)) {
                MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
                return GgufReader.read(path, arena, file);
            }
        } catch (IOException e) {
            arena.close();
            throw new ModelFileException(path, "cannot be read: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /**
     * A GGUF file that lies in memory.
     *
     * @param name what messages call it
     * @param arena in which {@code gguf} lives; closed with the model, or when this fails
     * @throws ModelFileException when it is not what it claims to be
     */
    public static ModelFile inMemory(Path name, Arena arena, MemorySegment gguf) {
        try {
            return GgufReader.read(name, arena, gguf);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    public ModelMetadata metadata() {
        return metadata;
    }

    /** All tensors, in the order of the file. */
    public Collection<Tensor> tensors() {
        return tensors.values();
    }

    public Optional<Tensor> tensor(String canonicalName) {
        return Optional.ofNullable(tensors.get(canonicalName));
    }

    /** A tensor that must be there. */
    public Tensor requireTensor(String canonicalName) {
        return tensor(canonicalName)
                .orElseThrow(() ->
                        ModelFileException.field(path, "tensor " + canonicalName, "nothing", "a tensor of this name"));
    }

    /** False for a file of weights alone. */
    public boolean hasVocabulary() {
        return vocabulary.isPresent();
    }

    /** The vocabulary, which must be there. */
    public VocabularyFile vocabulary() {
        return vocabulary.orElseThrow(() -> ModelFileException.field(
                path, "tokenizer", "nothing", "a vocabulary; convert the model with its tokenizer"));
    }

    /**
     * SHA-256 over canonical names, types, shapes and bytes of the weights; equal for the same weights in two formats.
     * Reads the whole file on the first call, on all processors.
     */
    public byte[] weightsDigest() {
        if (weightsDigest.length == 0) {
            weightsDigest = WeightsDigest.of(this);
        }
        return weightsDigest.clone();
    }

    /** SHA-256 of what turns text into tokens and back; of nothing when there is no vocabulary. */
    public byte[] tokenizerDigest() {
        return TokenizerDigest.of(vocabulary);
    }

    @Override
    public void close() {
        arena.close();
    }

    @Override
    public String toString() {
        return "%s (%s, %d tensors)".formatted(path, metadata.architecture(), tensors.size());
    }
}
