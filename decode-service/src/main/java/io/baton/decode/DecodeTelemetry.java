package io.baton.decode;

import io.baton.engine.Engine;
import io.baton.engine.EngineLoad;
import io.baton.proto.v1.Route;
import io.baton.proto.v1.RouteEvent;
import io.baton.serving.telemetry.NodeMetrics;
import io.baton.serving.telemetry.NodeSample;
import io.baton.serving.telemetry.Telemetry;
import io.baton.serving.telemetry.TraceInterceptors;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ServerInterceptor;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.trace.Span;
import java.util.concurrent.atomic.LongAdder;

/** What a decode node leaves in traces and metrics. Thread-safe. */
final class DecodeTelemetry {

    private static final AttributeKey<String> REASON = AttributeKey.stringKey("baton.reason");
    private static final AttributeKey<String> NODE = AttributeKey.stringKey("baton.node");
    private static final AttributeKey<String> DETAIL = AttributeKey.stringKey("baton.detail");

    private final TraceInterceptors traces;
    private final LongCounter fallbacks;
    private final LongCounter prefills;
    private final LongCounter receivedBytes;
    private final LongAdder queryTokens = new LongAdder();
    private final LongAdder hitTokens = new LongAdder();

    DecodeTelemetry(Telemetry telemetry, Engine engine) {
        traces = new TraceInterceptors(telemetry);
        fallbacks = telemetry
                .meter()
                .counterBuilder("baton.decode.fallbacks")
                .setUnit("{fallback}")
                .setDescription("Prefill attempts and choices that did not go as first chosen, by reason")
                .build();
        prefills = telemetry
                .meter()
                .counterBuilder("baton.decode.prefills")
                .setUnit("{prompt}")
                .setDescription("Prompts by the reason why they were prefilled where they were")
                .build();
        receivedBytes = telemetry
                .meter()
                .counterBuilder("baton.kv.received")
                .setUnit("By")
                .setDescription("KV bytes received from prefill nodes and verified")
                .build();
        NodeMetrics.register(telemetry, engine.shape().name(), () -> sample(engine));
    }

    ServerInterceptor server() {
        return traces.server();
    }

    /** Calls made through the channel are spans of the trace that is current in the gRPC context. */
    Channel traced(Channel channel) {
        return ClientInterceptors.intercept(channel, traces.client());
    }

    void admitted(int cachedTokens, int totalTokens) {
        queryTokens.add(totalTokens);
        hitTokens.add(cachedTokens);
    }

    /** One request's way, when it ends. {@code span} is the request's. */
    void routed(Span span, Route route) {
        span.setAttribute("baton.route.reason", route.getReason().name());
        span.setAttribute("baton.route.prefill_node", route.getPrefillNode());
        span.setAttribute("baton.route.kv_blocks_received", route.getKvBlocksReceived());
        span.setAttribute("baton.route.kv_bytes_received", route.getKvBytesReceived());
        span.setAttribute("baton.route.decode_cached_tokens", route.getDecodeCachedTokens());
        span.setAttribute("baton.route.prefill_cached_tokens", route.getPrefillCachedTokens());
        for (RouteEvent event : route.getEventsList()) {
            span.addEvent(
                    "fallback",
                    Attributes.of(REASON, event.getReason().name(), NODE, event.getNode(), DETAIL, event.getDetail()));
            fallbacks.add(1, Attributes.of(REASON, event.getReason().name()));
        }
        prefills.add(1, Attributes.of(REASON, route.getReason().name()));
        receivedBytes.add(route.getKvBytesReceived());
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
