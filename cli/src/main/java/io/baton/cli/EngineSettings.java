package io.baton.cli;

import io.baton.engine.ActivationMode;
import io.baton.engine.EngineOptions;
import io.baton.engine.HostOptions;
import io.baton.engine.KernelChoice;
import io.baton.engine.KvType;
import io.baton.serving.Setting;
import io.baton.serving.Settings;
import io.baton.serving.SettingsException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The model and how it is computed, as settings. */
final class EngineSettings {

    /** As {@link ActivationMode}, or what the model file asks for. */
    enum Activations {
        AUTO,
        Q8,
        BF16,
        F32;

        /** Empty lets the model file decide. */
        Optional<ActivationMode> mode() {
            return switch (this) {
                case AUTO -> Optional.empty();
                case Q8 -> Optional.of(ActivationMode.Q8);
                case BF16 -> Optional.of(ActivationMode.BF16);
                case F32 -> Optional.of(ActivationMode.F32);
            };
        }
    }

    static final Setting<Optional<Path>> MODEL = Setting.path(
                    "model", "Model: a GGUF file or a Hugging Face folder; Baton's own small storyteller unless given")
            .optional();
    static final Setting<KvType> KV_DTYPE = Setting.oneOf("kv-dtype", KvType.class, "Element type of cached K and V")
            .withDefault("bf16");
    static final Setting<Activations> ACTIVATIONS = Setting.oneOf(
                    "activations", Activations.class, "What activations are rounded to; auto goes by the model file")
            .withDefault("auto");
    static final Setting<Integer> BLOCK_TOKENS = Setting.integer(
                    "block-tokens", "Positions per KV block: 16, 32, 64 or 128")
            .withDefault(String.valueOf(EngineOptions.DEFAULT_BLOCK_TOKENS));
    static final Setting<Integer> CHUNK_TOKENS = Setting.integer("chunk-tokens", "Prompt tokens per prefill chunk")
            .withDefault(String.valueOf(EngineOptions.DEFAULT_CHUNK_TOKENS));
    static final Setting<Optional<Integer>> THREADS = Setting.integer(
                    "threads", "Compute threads; all processors unless given")
            .checked(n -> n >= 1, "at least 1")
            .optional();
    static final Setting<KernelChoice> KERNELS = Setting.oneOf(
                    "kernels", KernelChoice.class, "Which kernels compute; all give the same bits")
            .withDefault("auto");
    static final Setting<Optional<Long>> POOL_BYTES = Setting.bytes(
                    "pool-bytes", "Size of each node's KV pool, e.g. 4GiB; chosen by the memory limit unless given")
            .optional();
    static final Setting<Optional<Long>> MEMORY_LIMIT = Setting.bytes(
                    "memory-limit", "What the process may take; the container's or machine's limit unless given")
            .optional();
    static final Setting<Integer> MAX_SEQUENCES = Setting.integer("max-sequences", "Sequences that run at once")
            .withDefault(String.valueOf(EngineOptions.DEFAULT_MAX_SEQUENCES));
    static final Setting<Integer> MAX_WAITING = Setting.integer("max-waiting", "Requests that may wait for admission")
            .withDefault(String.valueOf(EngineOptions.DEFAULT_MAX_WAITING));

    static final List<Setting<?>> SETTINGS = List.of(
            MODEL,
            KV_DTYPE,
            ACTIVATIONS,
            BLOCK_TOKENS,
            CHUNK_TOKENS,
            THREADS,
            KERNELS,
            POOL_BYTES,
            MEMORY_LIMIT,
            MAX_SEQUENCES,
            MAX_WAITING);

    private EngineSettings() {}

    static HostOptions host(Settings settings) {
        return new HostOptions(
                settings.value(ACTIVATIONS).mode(),
                settings.value(KERNELS),
                settings.value(THREADS).orElse(Runtime.getRuntime().availableProcessors()),
                bytes(settings.value(MEMORY_LIMIT)));
    }

    static EngineOptions engine(Settings settings) {
        try {
            return new EngineOptions(
                    settings.value(BLOCK_TOKENS),
                    settings.value(KV_DTYPE),
                    settings.value(CHUNK_TOKENS),
                    bytes(settings.value(POOL_BYTES)),
                    settings.value(MAX_SEQUENCES),
                    settings.value(MAX_WAITING));
        } catch (IllegalArgumentException e) {
            throw new SettingsException(String.valueOf(e.getMessage()), e);
        }
    }

    private static OptionalLong bytes(Optional<Long> value) {
        return value.map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }
}
