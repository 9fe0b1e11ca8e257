package io.baton.serving.telemetry;

import io.grpc.Metadata;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapSetter;
import org.jspecify.annotations.Nullable;

/** Reads and writes the W3C headers {@code traceparent} and {@code tracestate} as ASCII gRPC metadata. */
final class MetadataCarrier implements TextMapGetter<Metadata>, TextMapSetter<Metadata> {

    static final MetadataCarrier INSTANCE = new MetadataCarrier();

    private MetadataCarrier() {}

    @Override
    public @Nullable String get(@Nullable Metadata metadata, String key) {
        return metadata == null ? null : metadata.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER));
    }

    @Override
    public void set(@Nullable Metadata metadata, String key, String value) {
        if (metadata != null) {
            Metadata.Key<String> name = Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER);
            metadata.removeAll(name);
            metadata.put(name, value);
        }
    }
}
