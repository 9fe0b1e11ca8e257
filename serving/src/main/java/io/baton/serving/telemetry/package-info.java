/**
 * Traces and metrics. {@link io.baton.serving.telemetry.Telemetry} is the process's OpenTelemetry SDK: silent unless an
 * OTLP endpoint or a Prometheus port is configured. {@link io.baton.serving.telemetry.TraceInterceptors} carry the W3C
 * context through gRPC metadata and open one span per call, never an event per message;
 * {@link io.baton.serving.telemetry.Spans} reads the span a call runs in.
 * {@link io.baton.serving.telemetry.GenAiMetrics} are the histograms of the GenAI conventions,
 * {@link io.baton.serving.telemetry.NodeMetrics} what a node tells about its pool and queues. All thread-safe.
 */
@NullMarked
package io.baton.serving.telemetry;

import org.jspecify.annotations.NullMarked;
