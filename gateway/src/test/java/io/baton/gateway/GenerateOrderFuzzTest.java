package io.baton.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.baton.proto.v1.GenerateRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.EnumSet;
import java.util.Set;

/** Whatever a client sends, it is an order that a node can serve or a refusal that says why. */
class GenerateOrderFuzzTest {

    private static final ServedModel MODEL = TestingModel.served();
    private static final Set<Status.Code> REFUSALS = EnumSet.of(
            Status.Code.INVALID_ARGUMENT, Status.Code.NOT_FOUND, Status.Code.OUT_OF_RANGE, Status.Code.UNIMPLEMENTED);

    @FuzzTest
    void anyRequestIsAnOrderOrARefusal(byte[] bytes) {
        GenerateRequest request;
        try {
            request = GenerateRequest.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            return; // gRPC's own parser refuses it before us
        }
        try {
            GenerateOrder order = GenerateOrder.of(request, MODEL, () -> 1);
            assertThat(order.prompt()).isNotEmpty();
            requireKnown(order.prompt());
            requireKnown(order.emitted());
            assertThat(order.maxOutputTokens()).isBetween(Math.max(1, order.emitted().length), TestingModel.CONTEXT);
            assertThat(order.prompt().length + order.maxOutputTokens()).isLessThanOrEqualTo(TestingModel.CONTEXT);
            assertThat(request.getSampling().getTemperature()).isBetween(0f, 100f);
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isIn(REFUSALS);
            assertThat(e.getStatus().getDescription()).isNotBlank();
        }
    }

    private static void requireKnown(int[] tokens) {
        for (int token : tokens) {
            assertThat(token).isBetween(0, TestingModel.VOCABULARY - 1);
        }
    }
}
