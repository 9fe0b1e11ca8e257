package io.baton.model.files;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Reads a safetensors file: eight bytes of header length, a JSON header that gives each tensor's type, shape and place,
 * then the data. See the format's description in Hugging Face's {@code safetensors} repository.
 */
final class SafetensorsReader {

    private static final int MAX_HEADER = 64 << 20; // a few megabytes for the largest models
    private static final int MAX_DIMENSIONS = 8;

    private final Path path;
    private final MemorySegment file;

    private SafetensorsReader(Path path, MemorySegment file) {
        this.path = path;
        this.file = file;
    }

    /** The tensors of a mapped file under the names it gives them. */
    static Map<String, Tensor> read(Path path, MemorySegment file) {
        return new SafetensorsReader(path, file).read();
    }

    private Map<String, Tensor> read() {
        if (file.byteSize() < Long.BYTES) {
            throw ModelFileException.at(
                    path,
                    0,
                    "header length",
                    "%d bytes".formatted(file.byteSize()),
                    "at least 8; fetch the file again");
        }
        long length = file.get(KeyArray.LONG, 0);
        long room = Math.min(MAX_HEADER, file.byteSize() - Long.BYTES);
        if (length < 2 || length > room) {
            throw ModelFileException.at(
                    path, 0, "header length", Long.toUnsignedString(length), "2 to %d".formatted(room));
        }
        byte[] header = file.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        JsonFields fields = JsonFields.parse(path, header, Long.BYTES);
        MemorySegment data = file.asSlice(Long.BYTES + length);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String name : fields.names()) {
            if (!name.equals("__metadata__")) {
                JsonFields entry =
                        fields.object(name).orElseThrow(() -> fields.wrong(name, "null", "a tensor's description"));
                tensor(name, entry, data).ifPresent(tensor -> tensors.put(name, tensor));
            }
        }
        return tensors;
    }

    private Optional<Tensor> tensor(String name, JsonFields entry, MemorySegment data) {
        List<Long> offsets = integers(entry, "data_offsets", 2);
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > data.byteSize()) {
            throw entry.wrong(
                    "data_offsets",
                    offsets,
                    "begin and end within %d bytes of data; the file is truncated or damaged, fetch it again"
                            .formatted(data.byteSize()));
        }
        Optional<TensorType> type = type(name, entry);
        if (type.isEmpty()) {
            return Optional.empty();
        }
        List<Long> shape = integers(entry, "shape", MAX_DIMENSIONS);
        long elements = 1;
        for (long size : shape) {
            if (size != 0 && elements > data.byteSize() / size) {
                throw entry.wrong("shape", shape, "a shape whose elements fit the file");
            }
            elements *= size;
        }
        long bytes = elements * type.get().blockBytes();
        if (offsets.get(1) - offsets.get(0) != bytes) {
            throw entry.wrong("data_offsets", offsets, "%d bytes apart for %s%s".formatted(bytes, type.get(), shape));
        }
        if (elements == 0) {
            return Optional.empty(); // an empty tensor computes nothing
        }
        List<Long> dimensions = shape.isEmpty() ? List.of(1L) : shape;
        return Optional.of(new Tensor(name, type.get(), dimensions, data.asSlice(offsets.get(0), bytes)));
    }

    /** The type; empty for one that only buffers have, of which no weight is made. */
    private static Optional<TensorType> type(String name, JsonFields entry) {
        String dtype = entry.requireText("dtype");
        return switch (dtype) {
            case "F64" -> Optional.of(TensorType.F64);
            case "F32" -> Optional.of(TensorType.F32);
            case "F16" -> Optional.of(TensorType.F16);
            case "BF16" -> Optional.of(TensorType.BF16);
            case "I64" -> Optional.of(TensorType.I64);
            case "I32" -> Optional.of(TensorType.I32);
            case "I16" -> Optional.of(TensorType.I16);
            case "I8" -> Optional.of(TensorType.I8);
            default -> {
                if (name.endsWith(".weight")) {
                    throw entry.wrong("dtype", dtype, "F32, F16 or BF16; convert the model to one of them");
                }
                yield Optional.empty();
            }
        };
    }

    private static List<Long> integers(JsonFields entry, String field, int most) {
        List<JsonNode> nodes = entry.array(field);
        if (nodes.size() > most) {
            throw entry.wrong(field, "%d numbers".formatted(nodes.size()), "at most " + most);
        }
        List<Long> values = new ArrayList<>();
        for (JsonNode node : nodes) {
            if (!node.isIntegralNumber() || !node.canConvertToLong() || node.asLong() < 0) {
                throw entry.wrong(field, JsonFields.describe(node), "sizes");
            }
            values.add(node.asLong());
        }
        return values;
    }
}
