package io.baton.serving.telemetry;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.Meter;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * Gauges of a node's KV pool, queues and kernels, sampled at collection. The Prometheus endpoint also shows them under
 * the names that vLLM's dashboards, KEDA recipes and the Gateway API inference extension look for.
 */
public final class NodeMetrics {

    private static final AttributeKey<String> KERNELS = AttributeKey.stringKey("baton.kernels");

    private NodeMetrics() {}

    public static void register(Telemetry telemetry, String model, Supplier<NodeSample> samples) {
        Meter meter = telemetry.meter();
        gauge(
                meter,
                "baton.kv.blocks.capacity",
                "{block}",
                "KV blocks in the pool",
                samples,
                NodeSample::blockCapacity);
        gauge(meter, "baton.kv.blocks.used", "{block}", "KV blocks held by sequences", samples, NodeSample::usedBlocks);
        gauge(
                meter,
                "baton.kv.blocks.cached",
                "{block}",
                "Unreferenced KV blocks kept for reuse",
                samples,
                NodeSample::cachedBlocks);
        gauge(meter, "baton.kv.blocks.free", "{block}", "KV blocks that hold nothing", samples, NodeSample::freeBlocks);
        gauge(meter, "baton.kv.usage", "1", "Share of KV blocks held by sequences", samples, NodeSample::usage);
        gauge(
                meter,
                "baton.sequences.running",
                "{sequence}",
                "Sequences in the running batch",
                samples,
                NodeSample::runningSequences);
        gauge(
                meter,
                "baton.sequences.waiting",
                "{sequence}",
                "Requests waiting for admission or prefill",
                samples,
                NodeSample::waitingSequences);
        gauge(
                meter,
                "baton.prefill.queued",
                "{token}",
                "Prompt tokens not computed yet",
                samples,
                NodeSample::queuedPrefillTokens);
        meter.counterBuilder("baton.prefix_cache.queries")
                .setUnit("{token}")
                .setDescription("Prompt tokens looked up in the prefix cache")
                .buildWithCallback(
                        measurement -> measurement.record(samples.get().prefixQueryTokens()));
        meter.counterBuilder("baton.prefix_cache.hits")
                .setUnit("{token}")
                .setDescription("Prompt tokens found in the prefix cache")
                .buildWithCallback(
                        measurement -> measurement.record(samples.get().prefixHitTokens()));
        telemetry.prometheus().register(new FieldNames(model, samples));
    }

    /** Tells which kernels compute: a node that has no native ones answers the same, but slowly. */
    public static void registerKernels(Telemetry telemetry, String kernels) {
        Attributes attributes = Attributes.of(KERNELS, kernels);
        telemetry
                .meter()
                .gaugeBuilder("baton.engine.kernels")
                .setUnit("1")
                .setDescription("1, with the name of the kernels that compute")
                .buildWithCallback(measurement -> measurement.record(1, attributes));
    }

    private static void gauge(
            Meter meter,
            String name,
            String unit,
            String description,
            Supplier<NodeSample> samples,
            ToDoubleFunction<NodeSample> value) {
        meter.gaugeBuilder(name)
                .setUnit(unit)
                .setDescription(description)
                .buildWithCallback(measurement -> measurement.record(value.applyAsDouble(samples.get())));
    }

    /** The aliases. OpenTelemetry's instrument names may not contain a colon, so these are collected directly. */
    private record FieldNames(String model, Supplier<NodeSample> samples) implements MultiCollector {

        @Override
        public MetricSnapshots collect() {
            NodeSample now = samples.get();
            Labels labels = Labels.of("model_name", model);
            return MetricSnapshots.of(
                    alias("vllm:num_requests_waiting", "Requests waiting", now.waitingSequences(), labels),
                    alias("vllm:num_requests_running", "Requests running", now.runningSequences(), labels),
                    alias("vllm:kv_cache_usage_perc", "Share of the KV cache in use, 0 to 1", now.usage(), labels),
                    alias(
                            "vllm:cache_config_info",
                            "Block size and count",
                            1,
                            Labels.of(
                                    "model_name",
                                    model,
                                    "block_size",
                                    String.valueOf(now.blockTokens()),
                                    "num_gpu_blocks",
                                    String.valueOf(now.blockCapacity()))));
        }

        private static MetricSnapshot alias(String name, String help, double value, Labels labels) {
            return GaugeSnapshot.builder()
                    .name(name)
                    .help(help)
                    .dataPoint(GaugeDataPointSnapshot.builder()
                            .value(value)
                            .labels(labels)
                            .build())
                    .build();
        }
    }
}
