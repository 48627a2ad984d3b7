#include "app/explain.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "check/invariant_names.h"
#include "check/invariants.h"
#include "scenario/properties.h"
#include "scenario/schema.h"

namespace sim::app {

TEST_CASE("every Kafka property is explained: meaning, default, status, place") {
  for (const scenario::Property& property : scenario::properties()) {
    std::string name(property.name);
    if (name.back() == '*') name.replace(name.size() - 1, 1, "anything");
    CAPTURE(name);
    const Result<std::string> text = explain(name);
    REQUIRE(text.ok());
    CHECK(text->find(name + "   property of Apache Kafka (" +
                     scenario::describe_components(property.components) + ")") != std::string::npos);
    CHECK(text->find("  status    ") != std::string::npos);
    CHECK(text->find("  where     ") != std::string::npos);
    if (property.status != scenario::Status::removed) CHECK(text->find("  default   ") != std::string::npos);
  }
}

TEST_CASE("every key is explained, by its path and by its last word") {
  const Result<std::string> overview = explain("");
  REQUIRE(overview.ok());
  for (const scenario::Key& key : scenario::keys()) {
    if (key.last() == "<name>") continue;
    const std::string path = scenario::dotted(key.path);
    CAPTURE(path);
    const Result<std::string> text = explain(path);
    REQUIRE(text.ok());
    CHECK(text->find(path + "   key of a scenario") != std::string::npos);
    CHECK(explain(std::string(key.last())).ok());
    CHECK(overview->find(std::string(key.last()) + " ") != std::string::npos);
  }
}

TEST_CASE("invariants are listed, each with what must hold") {
  const Result<std::string> text = explain("invariants");
  REQUIRE(text.ok());
  CHECK(text->find("    fenced-leads-nothing        A broker that was fenced leads no partition.\n") !=
        std::string::npos);
  for (const std::string& name : check::known_invariants()) {
    CAPTURE(name);
    CHECK(text->find("    " + name + " ") != std::string::npos);
    CHECK_FALSE(check::invariant_meaning(name).empty());
  }
  CHECK(check::invariant_meaning("no-such-invariant").empty());
}

TEST_CASE("names of the user's stand for <name>, and properties are found below their section") {
  struct Row {
    std::string topic;
    std::string want;
  };
  const Row rows[] = {
      {"clients.payment.commit", "clients.<name>.commit   key of a scenario\n"},
      {"clients.payment.config.max.poll.records", "max.poll.records   property of Apache Kafka (consumer)\n"},
      {"topics.orders.config.min.insync.replicas",
       "min.insync.replicas   property of Apache Kafka (topic)\n"},
      {"cluster.config.min.insync.replicas",
       "min.insync.replicas   property of Apache Kafka (broker, controller)\n"},
      {"expect.p99", "expect[].p99   key of a scenario\n"},
      {"expect[2].p99", "expect[].p99   key of a scenario\n"},
      {"expect.2.p99", "expect[].p99   key of a scenario\n"},
      {"cluster.network.links.rtt", "cluster.network.links[].rtt   key of a scenario\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.topic);
    const Result<std::string> text = explain(row.topic);
    REQUIRE(text.ok());
    CHECK(text->substr(0, row.want.size()) == row.want);
  }
}

TEST_CASE("what there is not is refused with the nearest word") {
  struct Row {
    std::string topic;
    std::string hint;
  };
  const Row rows[] = {
      {"broker.sesion.timeout.ms", "did you mean broker.session.timeout.ms?"},
      {"clients.payment.comit", "kraftsim explain shows all keys"},
      {"warmpu", "did you mean warmup?"},
      {"recordsize", "did you mean record.size?"},
      {"colour of the sky", "kraftsim explain shows all keys"},
      {"clients.payment.config.acks", "kraftsim explain shows all keys"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.topic);
    const Result<std::string> text = explain(row.topic);
    if (row.topic == "clients.payment.config.acks") {  // nobody knows here that payment consumes
      CHECK(text.ok());
      continue;
    }
    REQUIRE_FALSE(text.ok());
    CHECK(text.problems().front().hint == row.hint);
  }
}

}  // namespace sim::app
