package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.baton.proto.v1.DecodeRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.EnumSet;
import java.util.Set;

/** Whatever a gateway sends, it is an order that this node can serve or a refusal that says why. */
class DecodeOrderFuzzTest {

    private static final int VOCABULARY = 300;
    private static final int CONTEXT = 128;
    private static final Set<Integer> ENDS = Set.of(2);
    private static final Set<Status.Code> REFUSALS =
            EnumSet.of(Status.Code.INVALID_ARGUMENT, Status.Code.OUT_OF_RANGE, Status.Code.UNIMPLEMENTED);

    @FuzzTest
    void anyRequestIsAnOrderOrARefusal(byte[] bytes) {
        DecodeRequest request;
        try {
            request = DecodeRequest.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            return; // gRPC's own parser refuses it before us
        }
        try {
            DecodeOrder order = DecodeOrder.of(request, VOCABULARY, CONTEXT, ENDS);
            assertThat(order.prompt()).isNotEmpty();
            for (int token : order.sequence()) {
                assertThat(token).isBetween(0, VOCABULARY - 1);
            }
            assertThat(order.maxTokens()).isBetween(1, CONTEXT - order.prompt().length);
            assertThat(order.choices()).isNotEmpty().allMatch(known -> known.tokens().length <= order.maxTokens());
            assertThat(order.stopTokens().containsAll(ENDS))
                    .isEqualTo(!request.getStop().getIgnoreEos()
                            || request.getStop().getTokenIdsList().containsAll(ENDS));
            assertThat(order.logprobs()).isBetween(-1, DecodeOrder.MAX_LOGPROBS);
            assertThat(order.requestId()).isNotEmpty();
        } catch (StatusRuntimeException e) {
            assertThat(e.getStatus().getCode()).isIn(REFUSALS);
            assertThat(e.getStatus().getDescription()).isNotBlank();
        }
    }
}
