package io.baton.model.files;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a GGUF file, versions 2 and 3 (they differ in byte order only): header, keys, tensor directory, then one data
 * section in which each tensor lies at an aligned offset. See the specification in ggml's {@code docs/gguf.md}.
 */
final class GgufReader {

    static final int MAGIC = 0x46554747; // "GGUF", little-endian
    static final int DEFAULT_ALIGNMENT = 32;

    // The largest files of the field have some hundred keys and some ten thousand tensors.
    private static final int MAX_KEYS = 1 << 16;
    private static final int MAX_TENSORS = 1 << 20;
    private static final int MAX_KEY_BYTES = 0xFFFF; // the specification's own limit
    private static final int MAX_NAME_BYTES = 1024;
    private static final int MAX_TEXT_BYTES = 16 << 20; // chat templates take some kilobytes
    private static final int MAX_DIMENSIONS = 4;
    private static final long MAX_ALIGNMENT = 1 << 20;

    private static final long SMALLEST_KEY = Long.BYTES + Integer.BYTES + 1;
    private static final long SMALLEST_TENSOR = Long.BYTES + Integer.BYTES + Long.BYTES + Integer.BYTES + Long.BYTES;

    private record DirectoryEntry(String name, TensorType type, List<Long> shape, long offset, long offsetPosition) {}

    private final Path path;
    private final MemorySegment file;
    private final GgufCursor cursor;

    private GgufReader(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
        this.cursor = new GgufCursor(path, file);
    }

    /** Reads a mapped file; the model takes over {@code arena}. */
    static ModelFile read(Path path, Arena arena, MemorySegment file) {
        return new GgufReader(path, file).read(arena);
    }

    private ModelFile read(Arena arena) {
        header();
        int tensors = cursor.count("tensor count", SMALLEST_TENSOR, MAX_TENSORS);
        int keyCount = cursor.count("key count", SMALLEST_KEY, MAX_KEYS);
        ModelKeys keys = keys(keyCount);
        List<DirectoryEntry> directory = directory(tensors);
        Map<String, Tensor> byName = data(directory, alignment(keys));
        ModelMetadata metadata = ModelMetadata.ofGguf(path, keys, byName);
        return new ModelFile(path, arena, metadata, byName, GgufVocabulary.read(keys));
    }

    private void header() {
        int magic = cursor.int32("magic");
        if (magic != MAGIC) {
            throw ModelFileException.at(path, 0, "magic", "0x%08x".formatted(magic), "0x%08x (GGUF)".formatted(MAGIC));
        }
        int version = cursor.int32("version");
        if (version != 2 && version != 3) {
            String found = Integer.toUnsignedString(version);
            boolean swapped = Integer.reverseBytes(version) <= 3 && Integer.reverseBytes(version) > 0;
            throw ModelFileException.at(
                    path,
                    Integer.BYTES,
                    "version",
                    swapped ? found + " (a big-endian file)" : found,
                    "2 or 3, little-endian; convert the model again");
        }
    }

    private ModelKeys keys(int count) {
        Map<String, ModelKeys.Entry> entries = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            long start = cursor.position();
            String key = cursor.text("key " + i, MAX_KEY_BYTES);
            GgufValueType type = cursor.valueType(key + " type");
            long offset = cursor.position();
            Object value = switch (type) {
                case STRING -> cursor.text(key, MAX_TEXT_BYTES);
                case ARRAY -> cursor.array(key);
                default -> cursor.scalar(type, key);
            };
            if (entries.put(key, new ModelKeys.Entry(value, offset)) != null) {
                throw ModelFileException.at(path, start, "key " + i, "a second " + key, "each key once");
            }
        }
        return new ModelKeys(path, entries);
    }

    private long alignment(ModelKeys keys) {
        long alignment = keys.integer("general.alignment", 8, MAX_ALIGNMENT).orElse(DEFAULT_ALIGNMENT);
        if (Long.bitCount(alignment) != 1) {
            throw keys.wrong("general.alignment", alignment, "a power of two");
        }
        return alignment;
    }

    private List<DirectoryEntry> directory(int count) {
        List<DirectoryEntry> directory = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = cursor.text("name of tensor " + i, MAX_NAME_BYTES);
            List<Long> shape = shape(name);
            long typeStart = cursor.position();
            int typeId = cursor.int32(name + " type");
            TensorType type = TensorType.ofGgufId(typeId)
                    .orElseThrow(() -> ModelFileException.at(
                            path, typeStart, name + " type", Integer.toUnsignedString(typeId), "a known tensor type"));
            if (shape.getLast() % type.blockElements() != 0) {
                throw ModelFileException.at(
                        path,
                        typeStart,
                        name + " type",
                        "%s for rows of %d elements".formatted(type, shape.getLast()),
                        "rows of whole blocks of %d".formatted(type.blockElements()));
            }
            long offsetPosition = cursor.position();
            directory.add(new DirectoryEntry(name, type, shape, cursor.int64(name + " offset"), offsetPosition));
        }
        return directory;
    }

    private List<Long> shape(String name) {
        long start = cursor.position();
        int dimensions = cursor.int32(name + " dimension count");
        if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
            throw ModelFileException.at(
                    path,
                    start,
                    name + " dimension count",
                    Integer.toUnsignedString(dimensions),
                    "1 to " + MAX_DIMENSIONS);
        }
        List<Long> innermostFirst = new ArrayList<>(dimensions);
        long product = 1;
        for (int i = 0; i < dimensions; i++) {
            long at = cursor.position();
            long size = cursor.int64("%s dimension %d".formatted(name, i));
            // No element takes less than a 16th of a byte, so anything larger cannot be in the file.
            if (size < 1 || size > 16 * file.byteSize() / product) {
                throw ModelFileException.at(
                        path,
                        at,
                        "%s dimension %d".formatted(name, i),
                        Long.toUnsignedString(size),
                        "a size that fits a file of %d bytes".formatted(file.byteSize()));
            }
            product *= size;
            innermostFirst.add(size);
        }
        return innermostFirst.reversed();
    }

    private Map<String, Tensor> data(List<DirectoryEntry> directory, long alignment) {
        long head = cursor.position();
        long dataStart = Math.ceilDiv(head, alignment) * alignment;
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (DirectoryEntry entry : directory) {
            long rows = entry.shape().stream().reduce(1L, (a, b) -> a * b)
                    / entry.shape().getLast();
            long bytes = rows * entry.type().rowBytes(entry.shape().getLast());
            String field = entry.name() + " offset";
            if (entry.offset() < 0 || entry.offset() % alignment != 0) {
                throw ModelFileException.at(
                        path,
                        entry.offsetPosition(),
                        field,
                        Long.toUnsignedString(entry.offset()),
                        "a multiple of the alignment " + alignment);
            }
            long room = file.byteSize() - dataStart - bytes;
            if (room < 0 || entry.offset() > room) {
                throw ModelFileException.at(
                        path,
                        entry.offsetPosition(),
                        field,
                        "%d, with %d bytes of data after byte %d".formatted(entry.offset(), bytes, dataStart),
                        "data within the file's %d bytes; the file is truncated or damaged, fetch it again"
                                .formatted(file.byteSize()));
            }
            MemorySegment content = file.asSlice(dataStart + entry.offset(), bytes);
            Tensor tensor = new Tensor(entry.name(), entry.type(), entry.shape(), content);
            if (tensors.put(entry.name(), tensor) != null) {
                throw ModelFileException.at(
                        path, entry.offsetPosition(), entry.name(), "a second tensor of this name", "each name once");
            }
        }
        return tensors;
    }
}
