package io.baton.gateway;

import io.baton.proto.v1.GenerateEvent;
import io.baton.proto.v1.GenerateRequest;
import io.baton.proto.v1.GetModelRequest;
import io.baton.proto.v1.GetModelResponse;
import io.baton.proto.v1.InferenceGrpc;
import io.baton.proto.v1.TokenizeRequest;
import io.baton.proto.v1.TokenizeResponse;
import io.baton.serving.Arrival;
import io.baton.serving.Fingerprints;
import io.baton.text.EncodeOptions;
import io.grpc.Context;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/** The public API. Called by gRPC's threads; each generation runs on a thread of its own. */
final class InferenceService extends InferenceGrpc.InferenceImplBase {

    private final GatewayParts parts;
    private final Executor threads;
    private final LongSupplier nanos;

    InferenceService(GatewayParts parts, Executor threads, LongSupplier nanos) {
        this.parts = parts;
        this.threads = threads;
        this.nanos = nanos;
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateEvent> observer) {
        FirstToken first = new FirstToken(nanos, Arrival.ageNanos());
        Tenant tenant = TenantInterceptor.current();
        ClientStream client = new ClientStream((ServerCallStreamObserver<GenerateEvent>) observer);
        parts.inFlight().enter(tenant);
        parts.retries().requestCame();
        Generation generation = new Generation(parts, request, tenant, requestId(), client, first);
        boolean started = false;
        try {
            threads.execute(Context.current().wrap(() -> {
                try {
                    generation.run();
                } finally {
                    parts.inFlight().leave(tenant);
                }
            }));
            started = true;
        } finally {
            if (!started) {
                parts.inFlight().leave(tenant);
            }
        }
    }

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> observer) {
        GenerateOrder.requireModel(request.getModel(), parts.model());
        int[] tokens = parts.model()
                .tokenizer()
                .encode(request.getText(), new EncodeOptions(!request.getOmitBos(), request.getParseSpecial()));
        TokenizeResponse.Builder response = TokenizeResponse.newBuilder();
        for (int token : tokens) {
            response.addTokenIds(token);
        }
        observer.onNext(response.build());
        observer.onCompleted();
    }

    @Override
    public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> observer) {
        ServedModel model = parts.model();
        GenerateOrder.requireModel(request.getModel(), model);
        GetModelResponse.Builder response = GetModelResponse.newBuilder()
                .setModel(model.name())
                .setArchitecture(model.architecture())
                .setContextLength(model.contextLength())
                .setVocabularySize(model.vocabularySize())
                .addAllEosTokenIds(
                        model.tokenizer().endOfSequence().stream().sorted().toList());
        parts.routers()
                .preferred()
                .ifPresent(pool -> response.setFingerprint(Fingerprints.toProto(pool.fingerprint())));
        observer.onNext(response.build());
        observer.onCompleted();
    }

    private String requestId() {
        return "%016x%016x".formatted(parts.random().nextLong(), parts.random().nextLong());
    }
}
