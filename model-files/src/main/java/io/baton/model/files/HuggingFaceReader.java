package io.baton.model.files;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads a Hugging Face model folder: {@code config.json}, {@code model.safetensors} or the shards that
 * {@code model.safetensors.index.json} lists, and {@code tokenizer.json} with its companions.
 */
final class HuggingFaceReader {

    private static final String WHOLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final int MAX_INDEX = 64 << 20;
    private static final int MAX_SHARDS = 4096;

    private final Path folder;
    private final Arena arena;

    private HuggingFaceReader(Path folder, Arena arena) {
        this.folder = folder;
        this.arena = arena;
    }

    /** Reads a folder; the model takes over {@code arena}. */
    static ModelFile read(Path folder, Arena arena) throws IOException {
        if (!Files.isRegularFile(folder.resolve("config.json"))) {
            throw new ModelFileException(
                    folder,
                    "found a folder without config.json, expected a GGUF file or a Hugging Face folder; check the path");
        }
        return new HuggingFaceReader(folder, arena).read();
    }

    private ModelFile read() throws IOException {
        HuggingFaceConfig config = HuggingFaceConfig.read(folder);
        ModelKeys keys = config.keys();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        ModelMetadata metadata = ModelMetadata.ofHuggingFace(config.architecture(), keys, tensors);
        if (metadata.cachingObstacle().isPresent()) {
            // Whoever opened it will refuse it with that reason; neither names nor tokenizer are of a kind we know.
            return new ModelFile(folder, arena, metadata, tensors, Optional.empty());
        }
        for (Tensor tensor : weights()) {
            HuggingFaceNames.canonical(tensor.name()).ifPresent(name -> add(tensors, tensor, name));
        }
        if (config.tied()) {
            tensors.remove("output.weight");
        }
        float[] factors = config.frequencyFactors(metadata);
        if (factors.length > 0) {
            add(tensors, vector("rope_freqs.weight", factors), "rope_freqs.weight");
        }
        return new ModelFile(folder, arena, metadata, tensors, HuggingFaceVocabulary.read(folder, config.fields()));
    }

    private void add(Map<String, Tensor> tensors, Tensor tensor, String name) {
        if (tensors.put(name, new Tensor(name, tensor.type(), tensor.shape(), tensor.bytes())) != null) {
            throw ModelFileException.field(folder, tensor.name(), "a second tensor for " + name, "each tensor once");
        }
    }

    private static Tensor vector(String name, float[] values) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[values.length * Float.BYTES]);
        for (int i = 0; i < values.length; i++) {
            bytes.set(KeyArray.FLOAT, (long) i * Float.BYTES, values[i]);
        }
        return new Tensor(name, TensorType.F32, List.of((long) values.length), bytes.asReadOnly());
    }

    private List<Tensor> weights() throws IOException {
        if (Files.isRegularFile(folder.resolve(WHOLE))) {
            return List.copyOf(shard(WHOLE).values());
        }
        if (!Files.isRegularFile(folder.resolve(INDEX))) {
            throw new ModelFileException(
                    folder,
                    "found neither %s nor %s, expected one of them; convert the weights to safetensors"
                            .formatted(WHOLE, INDEX));
        }
        JsonFields index = JsonFields.read(folder.resolve(INDEX), MAX_INDEX);
        JsonFields places = index.object("weight_map")
                .orElseThrow(() -> index.wrong("weight_map", "nothing", "a file for each tensor"));
        Map<String, String> shardOf = new LinkedHashMap<>();
        for (String name : places.names()) {
            shardOf.put(name, places.requireText(name));
        }
        Set<String> shards = new LinkedHashSet<>(shardOf.values());
        if (shards.size() > MAX_SHARDS) {
            throw index.wrong("weight_map", shards.size() + " files", "at most " + MAX_SHARDS);
        }
        Map<String, Map<String, Tensor>> opened = new LinkedHashMap<>();
        for (String shard : shards) {
            if (!shard.endsWith(".safetensors")
                    || shard.contains("/")
                    || shard.contains("\\")
                    || shard.contains("\0")) {
                throw index.wrong("weight_map", '"' + shard + '"', "a .safetensors file of the same folder");
            }
            opened.put(shard, shard(shard));
        }
        return shardOf.entrySet().stream()
                .map(entry -> tensorOf(entry.getKey(), entry.getValue(), opened, index))
                .flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Tensor> tensorOf(
            String name, String shard, Map<String, Map<String, Tensor>> opened, JsonFields index) {
        Tensor tensor = opened.getOrDefault(shard, Map.of()).get(name);
        if (tensor == null && name.endsWith(".weight")) {
            throw index.wrong("weight_map." + name, shard + " without it", "a file that has it");
        }
        return Optional.ofNullable(tensor);
    }

    private Map<String, Tensor> shard(String name) throws IOException {
        Path path = folder.resolve(name);
        if (!Files.isRegularFile(path)) {
            throw new ModelFileException(path, "found no such file, expected one, as the index names it; fetch it");
        }
        try (FileChannel channel = FileChannel.open(path)) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return SafetensorsReader.read(path, file);
        }
    }
}
