package io.baton.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.InvalidProtocolBufferException;
import io.baton.proto.v1.PrefillControl;
import io.baton.proto.v1.PrefillStart;
import io.baton.serving.Fingerprints;
import io.grpc.Status;
import java.util.EnumSet;
import java.util.Set;

/** Whatever a decode node sends first, it is an order that this node can compute or a refusal that says why. */
class PrefillOrderFuzzTest {

    private static final Set<Status.Code> REFUSALS =
            EnumSet.of(Status.Code.INVALID_ARGUMENT, Status.Code.OUT_OF_RANGE, Status.Code.FAILED_PRECONDITION);

    private final ScriptedEngine engine = new ScriptedEngine();

    /** The fingerprint is this node's own unless the message has one: nobody guesses a digest. */
    @FuzzTest
    void anyStartIsAnOrderOrARefusal(byte[] bytes) {
        PrefillStart start;
        try {
            start = PrefillControl.parseFrom(bytes).getStart();
        } catch (InvalidProtocolBufferException e) {
            return; // gRPC's own parser refuses it before us
        }
        if (!start.hasFingerprint()) {
            start = start.toBuilder()
                    .setFingerprint(Fingerprints.toProto(ScriptedEngine.FINGERPRINT))
                    .build();
        }
        try {
            PrefillOrder order = PrefillOrder.of(start, engine);
            int tokens = order.request().tokens().length;
            assertThat(tokens).isBetween(1, ScriptedEngine.SHAPE.contextLength());
            int blocks = Math.ceilDiv(tokens, ScriptedEngine.BLOCK_TOKENS);
            assertThat(order.plan().shape().blocks()).isEqualTo(blocks);
            for (int layer = 0; layer < ScriptedEngine.LAYERS; layer++) {
                assertThat(order.plan().held().in(layer)).isBetween(0, blocks);
            }
            assertThat(order.owner()).matches("[\\x20-\\x7e]*").hasSizeLessThan(512);
        } catch (RefusedException e) {
            assertThat(e.refusal().status().getCode()).isIn(REFUSALS);
            assertThat(e.refusal().status().getDescription()).isNotBlank();
        }
    }
}
