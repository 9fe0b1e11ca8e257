package io.baton.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WireVersionsTest {

    @Test
    void neighbouringReleasesAgreeOnTheOlderOnesNewest() {
        WireVersions older = new WireVersions(3, 4);
        WireVersions newer = new WireVersions(4, 5);
        assertThat(older.highestCommon(newer)).hasValue(4);
        assertThat(newer.highestCommon(older)).hasValue(4);
        assertThat(newer.highestCommon(newer)).hasValue(5);
    }

    @Test
    void releasesFartherApartDoNotTalk() {
        assertThat(new WireVersions(1, 2).highestCommon(new WireVersions(3, 4))).isEmpty();
    }

    @Test
    void anEmptyRangeIsRefused() {
        assertThatThrownBy(() -> new WireVersions(0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new WireVersions(2, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
