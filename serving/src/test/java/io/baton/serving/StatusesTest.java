package io.baton.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

class StatusesTest {

    @Test
    void everyExceptionHasOneStatus() {
        Statuses statuses = Statuses.standard();
        assertThat(statuses.of(new IllegalArgumentException("x")).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(statuses.of(new UnsupportedOperationException("choices")).getCode())
                .isEqualTo(Status.Code.UNIMPLEMENTED);
        assertThat(statuses.of(new CancellationException()).getCode()).isEqualTo(Status.Code.CANCELLED);
        assertThat(statuses.of(new TimeoutException()).getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(statuses.of(new RejectedExecutionException()).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(statuses.of(Status.NOT_FOUND.asException()).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(statuses.of(new IOException("/etc/secret")).getCode()).isEqualTo(Status.Code.INTERNAL);
    }

    @Test
    void aDefectIsNamedByItsTypeAlone() {
        Status status = Statuses.standard().of(new IOException("/etc/secret"));
        assertThat(status.getDescription()).isEqualTo("internal error (IOException)");
        assertThat(status.getCause()).hasMessage("/etc/secret");
    }

    @Test
    void anAddedRuleComesBeforeTheStandardOnes() {
        Statuses statuses = Statuses.standard()
                .with(NumberFormatException.class, e -> Status.OUT_OF_RANGE.withDescription(e.getMessage()));
        assertThat(statuses.of(new NumberFormatException("9")).getCode()).isEqualTo(Status.Code.OUT_OF_RANGE);
        assertThat(statuses.of(new IllegalArgumentException("9")).getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void wrappersOfFuturesAreLookedThrough() {
        Throwable wrapped = new CompletionException(new CompletionException(new TimeoutException("late")));
        assertThat(Statuses.standard().of(wrapped).getDescription()).isEqualTo("late");
    }
}
