#include "scenario/profiles.h"

namespace sim::scenario {

namespace {

// The machine on which the recordings of tests/reality were made: six servers and the load on two cores,
// which a compiler used at the same time. Fitted to the acknowledgement times recorded with acks=0, 1 and
// all.
constexpr ProfileSetting kLaptop[] = {
    {"cluster/network/rtt", "{p50: 60us, p99: 300us}"},
    {"cluster/network/bandwidth", "10Gbit"},
    {"cluster/machine/network.per.request", "{p50: 60us, p99: 400us}"},
    {"cluster/machine/network.per.kib", "1us"},
    {"cluster/machine/io.per.request", "{p50: 150us, p99: 1ms}"},
    {"cluster/machine/io.per.kib", "2us"},
    {"cluster/cpu/cores", "2"},
    {"cluster/cpu/shared", "true"},
    {"cluster/cpu/per.wakeup", "{p50: 420us, p99: 1500us}"},
    {"cluster/cpu/others.share", "0.2"},
    {"cluster/cpu/others.burst", "{p50: 4ms, p99: 20ms}"},
    {"cluster/cpu/pauses/interval", "{p50: 3s, p99: 10s}"},
    {"cluster/cpu/pauses/length", "{p50: 30ms, p99: 120ms}"},
};

// Two virtual cores for each server, a network disk.
constexpr ProfileSetting kCloudSmall[] = {
    {"cluster/network/rtt", "{p50: 500us, p99: 1500us}"},
    {"cluster/network/bandwidth", "5Gbit"},
    {"cluster/disk/append", "{p50: 20us, p99: 300us}"},
    {"cluster/disk/flush", "{p50: 1500us, p99: 10ms}"},
    {"cluster/disk/read", "125MB/s"},
    {"cluster/disk/bandwidth", "125MB/s"},
    {"cluster/machine/network.per.request", "{p50: 25us, p99: 150us}"},
    {"cluster/machine/io.per.request", "{p50: 60us, p99: 400us}"},
    {"cluster/cpu/cores", "2"},
    {"cluster/cpu/per.wakeup", "{p50: 40us, p99: 300us}"},
    {"cluster/cpu/pauses/interval", "{p50: 3s, p99: 12s}"},
    {"cluster/cpu/pauses/length", "{p50: 8ms, p99: 40ms}"},
};

// Eight cores for each server, a disk of its own.
constexpr ProfileSetting kCloudLarge[] = {
    {"cluster/network/rtt", "{p50: 250us, p99: 800us}"},
    {"cluster/network/bandwidth", "25Gbit"},
    {"cluster/disk/append", "{p50: 10us, p99: 100us}"},
    {"cluster/disk/flush", "{p50: 200us, p99: 2ms}"},
    {"cluster/disk/read", "1000MB/s"},
    {"cluster/disk/bandwidth", "1000MB/s"},
    {"cluster/machine/network.per.request", "{p50: 10us, p99: 60us}"},
    {"cluster/machine/io.per.request", "{p50: 30us, p99: 150us}"},
    {"cluster/cpu/cores", "8"},
    {"cluster/cpu/per.wakeup", "{p50: 20us, p99: 100us}"},
    {"cluster/cpu/pauses/interval", "{p50: 5s, p99: 20s}"},
    {"cluster/cpu/pauses/length", "{p50: 5ms, p99: 20ms}"},
};

constexpr Profile kProfiles[] = {
    {"laptop",
     "all servers and applications on one machine with two cores, which a build uses at the same time: as "
     "the "
     "recordings of a real cluster in tests/reality were made",
     kLaptop},
    {"cloud-small", "a machine with two cores and a network disk for each server", kCloudSmall},
    {"cloud-large", "a machine with eight cores and a disk of its own for each server", kCloudLarge},
};

}  // namespace

std::span<const Profile> profiles() {
  return kProfiles;
}

std::string_view profile_value(std::string_view profile, std::string_view path) {
  for (const Profile& one : kProfiles) {
    if (one.name != profile) continue;
    for (const ProfileSetting& setting : one.settings) {
      if (setting.path == path) return setting.value;
    }
  }
  return {};
}

}  // namespace sim::scenario
