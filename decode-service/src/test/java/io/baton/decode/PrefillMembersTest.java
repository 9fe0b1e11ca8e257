package io.baton.decode;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PrefillMembersTest {

    private final List<String> answers = new ArrayList<>(List.of("10.0.0.1", "10.0.0.2"));
    private final AtomicLong now = new AtomicLong(5);
    private final PrefillMembers members =
            new PrefillMembers(List.of("prefill.svc:7070", "127.0.0.1:7071"), this::resolve, now::get);

    @Test
    void givenAddressesAreMembersAndOthersAreNot() {
        assertThat(members.contains("127.0.0.1:7071")).isTrue();
        assertThat(members.contains("127.0.0.1:7072")).isFalse();
        assertThat(members.contains("10.0.0.1:7070")).isFalse();
    }

    @Test
    void whatAHostNameResolvesToIsAMemberOnThatPort() {
        members.refresh();
        assertThat(members.contains("10.0.0.1:7070")).isTrue();
        assertThat(members.contains("10.0.0.2:7070")).isTrue();
        assertThat(members.contains("10.0.0.2:7071")).isFalse();
    }

    @Test
    void anAddressThatDnsLeavesOutStaysForAWhile() {
        members.refresh();
        answers.remove("10.0.0.2");
        now.addAndGet(PrefillMembers.GRACE.toNanos() / 2);
        assertThat(members.refresh()).isEmpty();
        assertThat(members.contains("10.0.0.2:7070")).isTrue();
        now.addAndGet(PrefillMembers.GRACE.toNanos());
        assertThat(members.refresh()).containsExactly("10.0.0.2:7070");
        assertThat(members.contains("10.0.0.2:7070")).isFalse();
        assertThat(members.contains("10.0.0.1:7070")).isTrue();
    }

    @Test
    void aFailedAnswerChangesNothing() {
        members.refresh();
        answers.clear();
        now.addAndGet(PrefillMembers.GRACE.toNanos() * 3);
        assertThat(members.refresh()).isEmpty();
        assertThat(members.contains("10.0.0.1:7070")).isTrue();
    }

    private InetAddress[] resolve(String host) throws UnknownHostException {
        if (host.equals("127.0.0.1")) {
            return new InetAddress[] {InetAddress.getByName(host)};
        }
        if (answers.isEmpty()) {
            throw new UnknownHostException(host);
        }
        InetAddress[] found = new InetAddress[answers.size()];
        for (int i = 0; i < found.length; i++) {
            found[i] = InetAddress.getByName(answers.get(i));
        }
        return found;
    }
}
