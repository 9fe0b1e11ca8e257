package io.baton.serving;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;

/**
 * When a call reached this process: its headers, as the transport's thread saw them. What passes until a handler runs
 * is this process's own time, and on a busy machine it is milliseconds. Travels with the call's {@link Context}.
 */
public final class Arrival {

    private static final Context.Key<Long> NANOS = Context.key("baton-arrival");

    private Arrival() {}

    /** How long ago the current call arrived, in nanoseconds; 0 outside of any call. */
    public static long ageNanos() {
        Long arrived = NANOS.get();
        return arrived == null ? 0 : System.nanoTime() - arrived;
    }

    /** What a server needs to have so that its calls know. */
    static ServerStreamTracer.Factory tracers() {
        return new Tracers();
    }

    private static final class Tracers extends ServerStreamTracer.Factory {

        @Override
        public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
            long now = System.nanoTime();
            return new ServerStreamTracer() {
                @Override
                public Context filterContext(Context context) {
                    return context.withValue(NANOS, now);
                }
            };
        }
    }
}
