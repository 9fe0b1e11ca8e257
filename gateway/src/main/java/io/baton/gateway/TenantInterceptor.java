package io.baton.gateway;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Takes the tenant out of a call's metadata, where an authenticating proxy put it; without such keys all are anonymous.
 */
final class TenantInterceptor implements ServerInterceptor {

    private static final int MAX_CHARS = 256;
    private static final Context.Key<Tenant> KEY = Context.keyWithDefault("baton-tenant", Tenant.ANONYMOUS);

    private final Metadata.@Nullable Key<String> name;
    private final Metadata.@Nullable Key<String> sharingGroup;

    TenantInterceptor(Optional<String> tenantHeader, Optional<String> sharingGroupHeader) {
        name = tenantHeader.map(TenantInterceptor::key).orElse(null);
        sharingGroup = sharingGroupHeader.map(TenantInterceptor::key).orElse(null);
    }

    /** The tenant of the call that the current thread works for. */
    static Tenant current() {
        return KEY.get();
    }

    @Override
    public <Q, S> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, S> call, Metadata headers, ServerCallHandler<Q, S> next) {
        Tenant tenant = new Tenant(value(headers, name), value(headers, sharingGroup));
        if (tenant.name().length() > MAX_CHARS || tenant.sharingGroup().length() > MAX_CHARS) {
            call.close(
                    Status.INVALID_ARGUMENT.withDescription(
                            "tenant and sharing group have at most %d characters".formatted(MAX_CHARS)),
                    new Metadata());
            return new ServerCall.Listener<>() {};
        }
        return Contexts.interceptCall(Context.current().withValue(KEY, tenant), call, headers, next);
    }

    private static String value(Metadata headers, Metadata.@Nullable Key<String> key) {
        String value = key == null ? null : headers.get(key);
        return value == null ? "" : value;
    }

    private static Metadata.Key<String> key(String header) {
        return Metadata.Key.of(header, Metadata.ASCII_STRING_MARSHALLER);
    }
}
