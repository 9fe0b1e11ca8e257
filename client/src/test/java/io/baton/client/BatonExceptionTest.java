package io.baton.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Status;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;

class BatonExceptionTest {

    @Test
    void aConnectionThatBreaksWhileTheCallIsWrittenMakesTheGatewayUnavailable() {
        BatonException failed = BatonException.of(
                Status.UNKNOWN.withDescription("channel closed").withCause(new ClosedChannelException()),
                new Metadata());
        assertThat(failed.kind()).isEqualTo(BatonException.Kind.UNAVAILABLE);
        assertThat(failed).hasMessageStartingWith("UNAVAILABLE: the connection failed (channel closed)");
    }

    @Test
    void anUnknownErrorThatTheGatewayTellsIsADefectOfIts() {
        BatonException failed = BatonException.of(Status.UNKNOWN.withDescription("channel closed"), new Metadata());
        assertThat(failed.kind()).isEqualTo(BatonException.Kind.INTERNAL);
        assertThat(failed).hasMessage("UNKNOWN: channel closed");
    }
}
