package io.baton.serving.telemetry;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Contexts;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapPropagator;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One span per call on either side, named after the method in lower case ({@code generate}, {@code decode},
 * {@code prefill}); no event per message, since a stream has thousands. Health, reflection and Watch calls, which are
 * endless or noise, get none.
 */
public final class TraceInterceptors {

    private static final TextMapPropagator W3C = W3CTraceContextPropagator.getInstance();
    private static final Set<String> TRACED_SERVICES =
            Set.of("baton.v1.Inference", "baton.v1.Decode", "baton.v1.Prefill", "baton.v1.KvTransfer");

    private final Tracer tracer;

    public TraceInterceptors(Telemetry telemetry) {
        this.tracer = telemetry.tracer();
    }

    public ServerInterceptor server() {
        return new Server();
    }

    /** The parent is {@link Spans#current()} of the gRPC context the call is made in. */
    public ClientInterceptor client() {
        return new Client();
    }

    private final class Server implements ServerInterceptor {

        @Override
        public <Q, S> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
            if (!traced(call.getMethodDescriptor())) {
                return next.startCall(call, headers);
            }
            Context parent = W3C.extract(Context.root(), headers, MetadataCarrier.INSTANCE);
            Span span = start(call.getMethodDescriptor(), SpanKind.SERVER, parent);
            io.grpc.Context context = io.grpc.Context.current().withValue(Spans.KEY, parent.with(span));
            ServerCall<Q, S> ending = new SimpleForwardingServerCall<>(call) {
                @Override
                public void close(Status status, Metadata trailers) {
                    end(span, status);
                    super.close(status, trailers);
                }
            };
            ServerCall.Listener<Q> listener = Contexts.interceptCall(context, ending, headers, next);
            return new SimpleForwardingServerCallListener<>(listener) {
                @Override
                public void onCancel() {
                    end(span, Status.CANCELLED);
                    super.onCancel();
                }
            };
        }
    }

    private final class Client implements ClientInterceptor {

        @Override
        public <Q, S> ClientCall<Q, S> interceptCall(MethodDescriptor<Q, S> method, CallOptions options, Channel next) {
            ClientCall<Q, S> call = next.newCall(method, options);
            if (!traced(method)) {
                return call;
            }
            return new SimpleForwardingClientCall<>(call) {
                @Override
                public void start(Listener<S> listener, Metadata headers) {
                    Context parent = Spans.current();
                    Span span = TraceInterceptors.this.start(method, SpanKind.CLIENT, parent);
                    W3C.inject(parent.with(span), headers, MetadataCarrier.INSTANCE);
                    super.start(
                            new SimpleForwardingClientCallListener<>(listener) {
                                @Override
                                public void onClose(Status status, Metadata trailers) {
                                    end(span, status);
                                    super.onClose(status, trailers);
                                }
                            },
                            headers);
                }
            };
        }
    }

    private Span start(MethodDescriptor<?, ?> method, SpanKind kind, Context parent) {
        String name = method.getBareMethodName();
        return tracer.spanBuilder(name == null ? method.getFullMethodName() : name.toLowerCase(Locale.ROOT))
                .setParent(parent)
                .setSpanKind(kind)
                .setAttribute("rpc.system", "grpc")
                .setAttribute("rpc.service", String.valueOf(method.getServiceName()))
                .setAttribute("rpc.method", String.valueOf(name))
                .startSpan();
    }

    /** Idempotent: the SDK ignores what follows the first end. */
    private static void end(Span span, Status status) {
        span.setAttribute("rpc.grpc.status_code", status.getCode().value());
        if (!status.isOk()) {
            span.setAttribute("error.type", status.getCode().name());
            span.setStatus(StatusCode.ERROR, orEmpty(status.getDescription()));
        }
        span.end();
    }

    private static String orEmpty(@Nullable String text) {
        return text == null ? "" : text;
    }

    private static boolean traced(MethodDescriptor<?, ?> method) {
        String service = method.getServiceName();
        return service != null && TRACED_SERVICES.contains(service);
    }
}
