// Faults of the network, and what becomes of connections whose other end is gone: bytes are late, in order or
// never there, as TCP makes them.
#include <doctest/doctest.h>

#include "cluster/small_world.h"

namespace sim::cluster {
namespace {

using namespace test;

const fault::Targets kTheClient{fault::ClientTarget{"client-1"}};

fault::Partition isolate(fault::Targets targets, fault::Direction direction = fault::Direction::both) {
  return fault::Partition{fault::Isolate{std::move(targets)}, direction};
}

TEST_CASE("a cut: connections stay open, and a heal is noticed at the next retransmission") {
  SmallWorld world = server_and_client();
  world.strike("cut", isolate(broker(1)), 105ms, 395ms);
  const Transcript record = world.play(1s);
  CHECK(record.all("lost").empty());
  CHECK(record.count("asked", 105, 710) == 0);
  // Sent at 110 ms and again after 0.2 and 0.6 s; all that queued up behind it comes with it.
  CHECK(record.count("asked", 710, 715) == 61);
  CHECK(record.times("asked").back() == 990);
  CHECK(record.all("FaultStruck")[0].number == 0);
  CHECK(record.times("FaultEnded") == Times{500});
  CHECK(record.all("FaultEnded")[0].number == 39);  // the requests of 110 to 490 ms; nobody answered
}

TEST_CASE("a cut in one direction") {
  SmallWorld deaf = server_and_client();
  deaf.strike("cut", isolate(broker(1), fault::Direction::to), 105ms, 100ms);
  CHECK(deaf.play(200ms).count("asked", 105, 200) == 0);

  SmallWorld dumb = server_and_client();
  dumb.strike("cut", isolate(broker(1), fault::Direction::from), 105ms, 100ms);
  const Transcript record = dumb.play(400ms);
  CHECK(record.count("asked", 105, 200) == 9);
  CHECK(record.count("answered", 105, 310) == 0);
  CHECK(record.count("answered", 310, 315) == 21);
  CHECK(record.all("FaultEnded")[0].number == 10);
}

TEST_CASE("connecting through a cut: the SYN is sent again after 1, 3 and 7 s; in either direction") {
  for (const fault::Direction direction :
       {fault::Direction::both, fault::Direction::to, fault::Direction::from}) {
    SmallWorld world = server_and_client();
    world.processes().specs[1].starts_at = instant_at(500 * kMillis);
    world.strike("cut", isolate(broker(1), direction), 105ms, 5s);
    const Transcript record = world.play(10s);
    CHECK(record.times("connected") == Times{7500});
    CHECK(record.all("FaultEnded")[0].number == 1);
  }
}

TEST_CASE("a SYN that is never answered is given up, after two minutes") {
  SmallWorld world = server_and_client({{kServer}, {Lane::data}, 10s});
  world.strike("cut", isolate(broker(1)), 0ms);
  CHECK(world.play(130s).times("refused") == Times{127'000});
}

TEST_CASE(
    "a client that gives up leaves its requests to its kernel: they arrive when the wire is healed, and "
    "count") {
  SmallWorld world = server_and_client({{kServer}, {Lane::data}, 10ms, 100ms});
  world.strike("cut", isolate(broker(1)), 105ms, 300ms);
  const Transcript record = world.play(3s);
  // The requests of 110 to 200 ms wait on a connection that is closed at 210. The first of them is served,
  // later than what the next connection asks would have been; its answer finds nobody.
  REQUIRE(record.times("gave up").front() == 210);
  CHECK(record.count("asked", 700, 720) >= 1);
  CHECK(record.count("answered", 700, 720) == 0);
  CHECK(record.times("connected") == Times{0, 1210});  // the SYN of 210 ms, again
  CHECK(record.count("answered", 1200, 3000) > 170);
}

TEST_CASE("what is never acknowledged is given up after fifteen times; by an orphan after eight") {
  SmallWorld open = server_and_client({{kServer}, {Lane::data}, 50s});
  open.strike("cut", isolate(broker(1)), 10ms);
  // 0.2 + 0.4 + ... + 102.4 s, each with as many round trips of 0.2 ms, then six times 120 s, after the
  // request of 50 s.
  CHECK(open.play(1'000s).times("lost") == Times{50'000 + 204'600 + 204 + 6 * 120'000});

  // The request of 20 s is left to the kernel at 40 s. It is sent at 45.4 and 71 s, and at 122.2 s no more.
  for (const Duration lasts : {60s, 130s}) {
    SmallWorld orphan = server_and_client({{kServer}, {Lane::data}, 20s, 30s});
    orphan.strike("cut", isolate(broker(1)), 10ms, lasts);
    const Transcript record = orphan.play(250s);
    CHECK(record.times("gave up").front() == 40'000);
    CHECK(record.count("asked", 71'000, 71'100) == (lasts == 60s ? 1 : 0));
    CHECK(record.count("asked", 0, 71'000) == 0);
    CHECK(record.count("asked", 224'000, 225'000) == 0);
  }
}

TEST_CASE("a killed client behind a cut: its server learns of it after the heal") {
  SmallWorld world = server_and_client();
  world.strike("cut", isolate(broker(1)), 100ms, 300ms);
  world.strike("kill", fault::Kill{kTheClient}, 150ms);
  const Transcript record = world.play(2s);
  CHECK(record.times("lost", kServer).size() == 1);
  CHECK(record.times("lost", kServer)[0] >= 700);
}

// Who hears whom: every server asks every other one on a connection of its own, and one client asks all.
struct Hearing {
  std::vector<std::vector<bool>> asked;  // [by][of], while the fault lasts
};
Hearing hearing(const fault::Partition& partition, int servers, std::uint64_t seed) {
  SmallWorld world;
  std::vector<ProcessId> ids;
  for (int i = 0; i < servers; ++i) ids.push_back(world.add_server());
  // Askers live on their server's machine.
  for (int i = 0; i < servers; ++i) {
    ProcessSpec asker;
    asker.name = "asker-" + std::to_string(i);
    ClientHabits habits{ids};
    asker.boot = Prototype(std::make_shared<Client>(ProcessId{servers + i}, habits));
    world.add_to_last_machine(asker, i);
  }
  world.add_client({ids});
  world.strike("cut", partition, 100ms, 1s);
  Cluster cluster = world.build(seed);
  Transcript record;
  cluster.observe(record);
  play_until(cluster, 1s);
  Hearing heard;
  for (int by = 0; by <= servers; ++by) {
    heard.asked.emplace_back();
    for (int of = 0; of < servers; ++of) {
      const auto lines = record.all("asked", ids[static_cast<std::size_t>(of)]);
      heard.asked.back().push_back(std::any_of(lines.begin(), lines.end(), [&](const Transcript::Line& line) {
        return line.at_micros > 150'000 && line.number == servers + by;
      }));
    }
  }
  return heard;
}

TEST_CASE("groups: each hears itself, who is in two hears both, who is in none hears everybody") {
  const fault::Targets first{fault::BrokerTarget{NodeId{1}}, fault::BrokerTarget{NodeId{2}}};
  const fault::Targets second{fault::BrokerTarget{NodeId{2}}, fault::BrokerTarget{NodeId{3}}};
  const Hearing heard = hearing(fault::Partition{fault::Groups{{first, second}}}, 4, 1);
  const std::vector<std::vector<bool>> want = {
      {true, true, false, true}, {true, true, true, true}, {false, true, true, true},
      {true, true, true, true},  {true, true, true, true},
  };
  CHECK((heard.asked == want));
}

TEST_CASE("halves: the servers fall apart, the clients stay with the half that is not smaller") {
  bool differs = false;
  std::vector<bool> first_kept;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const Hearing heard = hearing(fault::Partition{fault::Halves{}}, 5, seed);
    const std::vector<bool>& kept = heard.asked[5];
    CHECK(std::count(kept.begin(), kept.end(), true) == 3);
    for (std::size_t by = 0; by < 5; ++by) {
      for (std::size_t of = 0; of < 5; ++of) CHECK(heard.asked[by][of] == (kept[by] == kept[of]));
    }
    if (first_kept.empty()) first_kept = kept;
    differs = differs || kept != first_kept;
  }
  CHECK(differs);
}

TEST_CASE(
    "bridge: the servers fall apart but for one, which hears both halves; clients do not hear the smaller "
    "one") {
  for (const int servers : {3, 4, 5}) {
    CAPTURE(servers);
    const Hearing heard = hearing(fault::Partition{fault::Bridge{}}, servers, 2);
    const auto all = static_cast<std::size_t>(servers);
    const std::vector<bool>& kept = heard.asked[all];
    CHECK(std::count(kept.begin(), kept.end(), false) == (servers - 1) / 2);
    const auto hears_all = [&](std::size_t by) {
      return std::count(heard.asked[by].begin(), heard.asked[by].end(), false) == 0;
    };
    std::size_t bridges = 0;
    for (std::size_t by = 0; by < all; ++by) {
      if (hears_all(by)) ++bridges;
      for (std::size_t of = 0; of < all; ++of)
        CHECK(heard.asked[by][of] == (kept[by] == kept[of] || hears_all(by) || hears_all(of)));
    }
    CHECK(bridges == 1);
  }
}

TEST_CASE("majorities-ring: every server hears a majority, no two the same; clients hear all") {
  for (const int servers : {3, 4, 5, 6}) {
    CAPTURE(servers);
    const Hearing heard = hearing(fault::Partition{fault::MajoritiesRing{}}, servers, 3);
    std::vector<std::vector<bool>> views;
    for (std::size_t of = 0; of < static_cast<std::size_t>(servers); ++of) {
      std::vector<bool> view;
      for (std::size_t by = 0; by < static_cast<std::size_t>(servers); ++by)
        view.push_back(heard.asked[by][of]);
      CHECK(std::count(view.begin(), view.end(), true) == servers / 2 + 1);
      CHECK(view[of]);
      CHECK(heard.asked[static_cast<std::size_t>(servers)][of]);
      CHECK(std::find(views.begin(), views.end(), view) == views.end());
      views.push_back(view);
    }
  }
}

TEST_CASE("delay: every packet of the wires takes longer, in order, and only there") {
  SmallWorld world = server_and_client();
  world.add_client({{kServer}});
  world.strike(
      "slow",
      fault::Delay{{kTheClient, broker(1), fault::Direction::from}, Distribution::constant(7 * kMillis)},
      105ms, 50ms);
  const Transcript record = world.play(300ms);
  for (const auto& line : record.all("asked")) {
    const bool is_slow =
        line.number == kClient.value() && line.at_micros > 105'000 && line.at_micros < 160'000;
    CHECK(line.at_micros % 10'000 ==
          (is_slow ? 7'140 : 140) + (line.number == 2 && !is_slow ? line.at_micros % 10'000 - 140 : 0));
  }
  CHECK(record.all("FaultEnded")[0].number == 5);
}

TEST_CASE("delay by a draw: messages of a connection do not overtake each other") {
  SmallWorld world = server_and_client({{kServer}, {Lane::data}, 1ms});
  const Distribution by = Distribution::uniform(0, 20 * kMillis);
  world.strike("slow", fault::Delay{{broker(1), {}, fault::Direction::both}, by}, 10ms, 500ms);
  const Transcript record = world.play(600ms);
  std::int64_t last = -1;
  for (const auto& line : record.all("answered")) {
    CHECK(line.number == last + 1);
    last = line.number;
  }
  CHECK(last > 550);
}

TEST_CASE("loss: a message is late by its time-outs, and those behind it wait") {
  SmallWorld world = server_and_client();
  world.strike("loss", fault::Loss{{broker(1), {}, fault::Direction::to}, 20'000}, 10ms);
  const Transcript record = world.play(20s);
  std::int64_t late = 0;
  std::int64_t at_once = 0;
  std::int64_t previous = 0;
  for (const auto& line : record.all("asked")) {
    if (line.at_micros - previous > 190'000) ++late;
    if (line.at_micros - previous < 1'000) ++at_once;
    previous = line.at_micros;
  }
  CHECK(late > 15);
  CHECK(late < 60);
  CHECK(at_once > 10 * late);
  CHECK(record.all("lost").empty());
  CHECK(record.all("FaultEnded")[0].number >= late);
}

TEST_CASE(
    "a card that gives less: what its machine sends queues for it, and what it is sent apart from that") {
  SmallWorld world = server_and_client();
  world.strike("narrow", fault::Bandwidth{{broker(1), {}, fault::Direction::to}, 16'000}, 105ms, 395ms);
  const Transcript record = world.play(1s);
  // A request every 10 ms, of more than the 20 bytes for which there is room in that time: many are still
  // queued at the end.
  const std::int64_t passed = record.count("asked", 105, 500);
  CHECK(passed > 5);
  CHECK(passed < 30);
  CHECK(record.all("FaultEnded")[0].number >= 39);
  CHECK(record.all("lost").empty());
  std::int64_t last = -1;
  for (const auto& line : record.all("answered")) {
    CHECK(line.number == last + 1);
    last = line.number;
  }
}

TEST_CASE("a reset: both ends are told at once, and the client may connect again") {
  SmallWorld world = server_and_client();
  world.strike("reset", fault::Reset{{broker(1), {}}}, 105ms);
  const Transcript record = world.play(300ms);
  CHECK(record.times("lost") == Times{105, 105});
  CHECK(record.times("lost", kServer) == Times{105});
  CHECK(record.times("FaultEnded") == Times{105});
  CHECK(record.all("FaultEnded")[0].number == 1);
  CHECK(record.count("answered", 120, 300) > 10);

  SmallWorld other = server_and_client();
  other.strike("reset", fault::Reset{{broker(1), broker(1)}}, 105ms);  // it has no connection to itself
  CHECK(other.play(300ms).all("FaultEnded")[0].number == 0);
}

TEST_CASE("isolated from some: the others are heard as before") {
  const fault::Targets servers{fault::AllOf{fault::Pool::brokers}};
  const Hearing heard = hearing(fault::Partition{fault::Isolate{broker(1), servers}}, 3, 1);
  const std::vector<std::vector<bool>> want = {
      {true, false, false}, {false, true, true}, {false, true, true}, {true, true, true}};
  CHECK((heard.asked == want));
  const fault::Isolate deaf{broker(1), broker(2)};
  CHECK((hearing(fault::Partition{deaf, fault::Direction::to}, 3, 1).asked[1] ==
         std::vector<bool>{false, true, true}));
}

TEST_CASE("hold: one kind of request stays where it is with all behind it; other connections go on") {
  SmallWorld world =
      server_and_client({{kServer}, {Lane::data, Lane::coordinator}, 10ms, kForever, from_millis(1), true});
  world.strike("hold", fault::Hold{{kTheClient, broker(1)}, "Fetch"}, 105ms, 100ms);
  const Transcript record = world.play(300ms);
  CHECK(record.count("asked", 105, 205) == 10);  // the heartbeats
  CHECK(record.count("asked", 205, 209) == 10);  // the fetches of 110 to 200 ms
  CHECK(record.all("FaultEnded")[0].number == 10);
  CHECK(record.count("asked", 210, 300) == 18);
}

TEST_CASE("hold: what a client has given up on arrives all the same") {
  SmallWorld world = server_and_client({{kServer}, {Lane::data}, 10ms, 50ms, from_millis(1)});
  world.strike("hold",
               fault::Hold{{{fault::AllOf{fault::Pool::clients}}, {}, fault::Direction::from}, "Heartbeat"},
               105ms, 95ms);
  const Transcript record = world.play(300ms);
  CHECK(record.times("gave up") == Times{160});
  CHECK(record.count("asked", 105, 200) == 0);
  CHECK(record.count("asked", 200, 202) == 9);  // five on the connection that was given up, four on the next
  CHECK(record.count("answered", 105, 209) == 4);
  CHECK(record.count("answered", 210, 300) >= 8);
}

TEST_CASE("hold: replies stay at the server; what was asked for has been done") {
  SmallWorld world =
      server_and_client({{kServer}, {Lane::data, Lane::coordinator}, 10ms, kForever, from_millis(1), true});
  world.strike("hold", fault::Hold{{broker(1), {}}, "Fetch", fault::HeldSide::replies}, 105ms, 100ms);
  const Transcript record = world.play(300ms);
  CHECK(record.count("asked", 105, 205) == 20);
  CHECK(record.count("answered", 105, 205) == 10);  // the heartbeats
  CHECK(record.count("answered", 205, 209) == 10);
  CHECK(record.all("FaultEnded")[0].number == 10);
}

TEST_CASE("hold: the first so many; what follows on the connection waits, others do not") {
  SmallWorld world;
  world.add_server();
  world.add_client({{kServer}});
  world.add_client({{kServer}});
  fault::Hold first{{broker(1), {}}, "Heartbeat"};
  first.count = 1;
  world.strike("hold", first, 105ms, 100ms);
  const Transcript record = world.play(300ms);
  CHECK(record.count("asked", 105, 205) == 10);  // of one of the two clients
  CHECK(record.count("asked", 205, 209) == 10);  // all that had queued up behind the first
  CHECK(record.count("answered", 210, 300) == 18);

  first.count = fault::Hold::kNoLimit;
  first.connections = 1;
  SmallWorld other;
  other.add_server();
  other.add_client({{kServer}, {Lane::data}, 10ms, 50ms, from_millis(1)});
  other.strike("hold", first, 105ms, 400ms);
  CHECK(other.play(600ms).count("asked", 165, 500) > 30);  // on the connection that took its place
}

TEST_CASE("faults of the network overlap: a wire is cut while any of them cuts it") {
  SmallWorld world = server_and_client();
  world.strike("one", isolate(broker(1)), 100ms, 100ms);
  world.strike("two", isolate(kTheClient), 150ms, 200ms);
  const Transcript record = world.play(1s);
  CHECK(record.count("asked", 101, 699) == 0);
  CHECK(record.count("asked", 699, 705) > 50);
  const auto ended = record.all("FaultEnded");
  CHECK(ended[0].number == 10);
  CHECK(ended[1].number == 20);
}

TEST_CASE("within a machine nothing is cut") {
  SmallWorld world;
  world.add_server();
  ProcessSpec neighbour;
  neighbour.name = "neighbour";
  neighbour.boot = Prototype(std::make_shared<Client>(kClient, ClientHabits{{kServer}}));
  world.add_to_last_machine(neighbour, 0);
  world.strike("cut", isolate(broker(1)), 100ms, 100ms);
  CHECK(world.play(300ms).count("answered", 100, 200) == 10);
}

// ---- The world is a value

SmallWorld troubled() {
  SmallWorld world;
  std::vector<ProcessId> servers;
  for (int i = 0; i < 4; ++i) servers.push_back(world.add_server({node::Safety::flushed, 3ms}));
  world.add_client({servers, {Lane::data, Lane::coordinator}, 12ms, 50ms, 1ms, true});
  world.add_client({servers, {Lane::data}, 9ms, kForever, 2ms});
  const fault::Targets anyone{fault::RandomOf{fault::Pool::brokers, 1}};
  const fault::Targets everyone{fault::AllOf{fault::Pool::brokers}};
  world.strike("kill", fault::Kill{anyone}, 7ms, 19ms, 50ms);
  world.strike("dark", fault::PowerLoss{anyone}, 20ms, 300ms, 400ms);
  world.strike("stop", fault::Stop{anyone}, 9ms, 30ms, 70ms);
  world.strike("restart", fault::Restart{anyone}, 11ms, {}, 33ms);
  world.strike("pause", fault::Pause{{fault::RandomOf{fault::Pool::brokers, 2}}}, 5ms, 22ms, 40ms);
  world.strike("frozen client", fault::Pause{{fault::RandomOf{fault::Pool::clients, 1}}}, 15ms, 15ms, 60ms);
  world.strike("halves", fault::Partition{fault::Halves{}}, 30ms, 70ms, 150ms);
  world.strike("ring", fault::Partition{fault::MajoritiesRing{}}, 90ms, 50ms, 170ms);
  world.strike("one way", isolate(anyone, fault::Direction::from), 60ms, 90ms, 190ms);
  world.strike("slow", fault::Delay{{everyone, {}}, Distribution::uniform(0, 3 * kMillis)}, 10ms, 100ms,
               120ms);
  world.strike("loss", fault::Loss{{everyone, {}}, 30'000}, 10ms, 300ms, 310ms);
  world.strike("hold", fault::Hold{{everyone, {}}, "Fetch"}, 40ms, 30ms, 90ms);
  world.strike("bridge", fault::Partition{fault::Bridge{}}, 130ms, 40ms, 210ms);
  world.strike("narrow", fault::Bandwidth{{anyone, {}}, 1'000'000}, 25ms, 60ms, 110ms);
  world.strike("reset", fault::Reset{{anyone, {}}}, 45ms, {}, 80ms);
  world.strike("rough", fault::Delay{{everyone, {}}, Distribution::constant(kMillis), kMillis / 2, 700'000},
               35ms, 90ms, 130ms);
  world.strike("bursts", fault::Loss{{everyone, {}}, 10'000, 5}, 55ms, 100ms, 230ms);
  return world;
}

TEST_CASE("a world in trouble: the same seed, the same run; its copies play on as it does") {
  const SmallWorld world = troubled();
  Cluster original = world.build(5);
  std::vector<Cluster> copies;
  for (int i = 1; i <= 25; ++i) {
    play_until(original, i * 33ms);
    copies.push_back(original);
  }
  play_until(original, 1s);
  for (Cluster& copy : copies) {
    play_until(copy, 1s);
    CHECK(copy.events_fired() == original.events_fired());
    CHECK(copy.fingerprint() == original.fingerprint());
  }
  Cluster other = world.build(6);
  play_until(other, 1s);
  CHECK(other.fingerprint() != original.fingerprint());
}

TEST_CASE("after all trouble everything is as before: every client is answered by every server") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Cluster cluster = troubled().build(seed, instant_at(1'000 * kMillis));
    Transcript record;
    cluster.observe(record);
    play_until(cluster, 9s);
    std::int64_t struck = 0;
    for (const auto& line : record.all("FaultEnded")) struck += line.number;
    CHECK(struck > 200);
    for (int server = 0; server < 4; ++server) CHECK(cluster.is_up(ProcessId{server}));
    // The first client asks each server twice every 12 ms, the other one once every 9 ms.
    CHECK(record.count("asked", 8'000, 9'000) == doctest::Approx(4 * (2 * 83 + 111)).epsilon(0.02));
    CHECK(record.count("answered", 8'000, 9'000) == doctest::Approx(4 * (2 * 83 + 111)).epsilon(0.02));
  }
}

}  // namespace
}  // namespace sim::cluster
