package io.baton.prefill;

import io.baton.engine.Engine;
import io.baton.engine.EngineLoad;
import io.baton.serving.telemetry.NodeMetrics;
import io.baton.serving.telemetry.NodeSample;
import io.baton.serving.telemetry.Spans;
import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TraceInterceptors;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.trace.Tracer;
import java.util.concurrent.atomic.LongAdder;

/** What a prefill node leaves in traces and metrics. Thread-safe. */
final class PrefillTelemetry {

    private static final AttributeKey<String> STATUS = AttributeKey.stringKey("rpc.grpc.status");

    private final TraceInterceptors traces;
    private final Tracer tracer;
    private final LongCounter streams;
    private final LongCounter sentBytes;
    private final LongAdder queryTokens = new LongAdder();
    private final LongAdder hitTokens = new LongAdder();

    PrefillTelemetry(Telemetry telemetry, Engine engine) {
        traces = new TraceInterceptors(telemetry);
        tracer = telemetry.tracer();
        streams = telemetry
                .meter()
                .counterBuilder("baton.prefill.streams")
                .setUnit("{stream}")
                .setDescription("Prefill streams that ended, by status")
                .build();
        sentBytes = telemetry
                .meter()
                .counterBuilder("baton.kv.sent")
                .setUnit("By")
                .setDescription("KV bytes sent to decode nodes")
                .build();
        NodeMetrics.register(telemetry, engine.shape().name(), () -> sample(engine));
    }

    ServerInterceptor server() {
        return traces.server();
    }

    /** The trace of one request; called in its gRPC context. */
    PrefillTrace request(int tokens, int layers) {
        return new PrefillTrace(tracer, this, Spans.current(), tokens, layers);
    }

    /** A prompt was looked up in the prefix cache. */
    void lookedUp(int tokens, int cachedTokens) {
        queryTokens.add(tokens);
        hitTokens.add(cachedTokens);
    }

    /** A stream ended. */
    void ended(Status status, long bytes) {
        sentBytes.add(bytes);
        streams.add(1, Attributes.of(STATUS, status.getCode().name()));
    }

    private NodeSample sample(Engine engine) {
        EngineLoad load = engine.load();
        return new NodeSample(
                engine.options().blockTokens(),
                load.blockCapacity(),
                load.usedBlocks(),
                load.cachedBlocks(),
                load.freeBlocks(),
                load.runningSequences(),
                load.waitingSequences(),
                load.queuedPrefillTokens(),
                queryTokens.sum(),
                hitTokens.sum());
    }
}
