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
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

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
    Request request(int tokens) {
        return new Request(Spans.current(), tokens);
    }

    /** One request's spans: {@code compute} and {@code kv_transfer}, which overlap, under the call's own. */
    final class Request {

        private final Context parent;
        private final int tokens;
        private volatile @Nullable Span compute;
        private volatile @Nullable Span transfer;

        private Request(Context parent, int tokens) {
            this.parent = parent;
            this.tokens = tokens;
        }

        void computing(int cachedTokens) {
            queryTokens.add(tokens);
            hitTokens.add(cachedTokens);
            compute = tracer.spanBuilder("compute")
                    .setParent(parent)
                    .setAttribute("baton.prompt_tokens", tokens)
                    .setAttribute("baton.cached_tokens", cachedTokens)
                    .startSpan();
        }

        void computed() {
            end(compute, Status.OK);
        }

        void sending() {
            transfer = tracer.spanBuilder("kv_transfer").setParent(parent).startSpan();
        }

        void ended(Status status, int units, long bytes) {
            end(compute, status); // idempotent: the SDK ignores what follows the first end
            Span sent = transfer;
            if (sent != null) {
                sent.setAttribute("baton.kv.units", units);
                sent.setAttribute("baton.kv.bytes", bytes);
            }
            end(sent, status);
            sentBytes.add(bytes);
            streams.add(1, Attributes.of(STATUS, status.getCode().name()));
        }

        private static void end(@Nullable Span span, Status status) {
            if (span != null) {
                if (!status.isOk()) {
                    span.setStatus(StatusCode.ERROR, status.getCode().name());
                }
                span.end();
            }
        }
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
