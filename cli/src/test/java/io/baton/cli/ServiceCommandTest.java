package io.baton.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.baton.serving.ListenSettings;
import io.baton.serving.TlsSettings;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ServiceCommandTest {

    @Test
    void processesOfOneMachineExportUnderNamesOfTheirOwn() {
        assertThat(instance(Map.of(), 9102)).isEqualTo("127.0.0.1:9102");
        assertThat(instance(Map.of("HOSTNAME", "decode-0"), 9102)).isEqualTo("decode-0:9102");
        assertThat(instance(Map.of(), 0))
                .as("a port that is not known yet")
                .isEqualTo("127.0.0.1:pid-" + ProcessHandle.current().pid());
    }

    private static String instance(Map<String, String> environment, int port) {
        ServiceCommand command = new DecodeCommand(new Surroundings(environment, InputStream.nullInputStream(), false));
        return command.instance(new ListenSettings("127.0.0.1", port, Optional.empty(), TlsSettings.plaintext()));
    }
}
