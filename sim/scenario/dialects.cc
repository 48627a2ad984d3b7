#include "scenario/dialects.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "scenario/units.h"

namespace sim::scenario {

namespace {

// What is done with a value under a foreign name.
enum class Convert : std::uint8_t {
  as_it_is,
  kib_to_bytes,
  millis,   // "500ms", "3s" (Spring), "0.5" (librdkafka: rounded up to whole milliseconds)
  bytes,    // "16KB", which is 16384 to Spring's DataSize
  reset,    // librdkafka's words for auto.offset.reset
  ignored,  // known there, without effect here
};

struct Alias {
  std::string_view foreign;
  std::string_view kafka;
  Convert convert = Convert::as_it_is;
};

constexpr Alias kLibrdkafka[] = {
    {"request.required.acks", "acks"},
    {"queue.buffering.max.ms", "linger.ms", Convert::millis},
    {"linger.ms", "linger.ms", Convert::millis},
    {"message.send.max.retries", "retries"},
    {"message.timeout.ms", "delivery.timeout.ms"},
    {"max.in.flight", "max.in.flight.requests.per.connection"},
    {"queue.buffering.max.kbytes", "buffer.memory", Convert::kib_to_bytes},
    {"message.max.bytes", "max.request.size"},
    {"compression.codec", "compression.type"},
    {"topic.metadata.refresh.interval.ms", "metadata.max.age.ms"},
    {"metadata.broker.list", "bootstrap.servers"},
    {"fetch.wait.max.ms", "fetch.max.wait.ms"},
    {"fetch.message.max.bytes", "max.partition.fetch.bytes"},
    {"auto.offset.reset", "auto.offset.reset", Convert::reset},
    {"queue.buffering.max.messages", "", Convert::ignored},
    {"batch.num.messages", "", Convert::ignored},
    {"queued.min.messages", "", Convert::ignored},
    {"queued.max.messages.kbytes", "", Convert::ignored},
    {"fetch.error.backoff.ms", "", Convert::ignored},
    {"fetch.queue.backoff.ms", "", Convert::ignored},
    {"enable.auto.offset.store", "", Convert::ignored},
    {"enable.partition.eof", "", Convert::ignored},
    {"enable.gapless.guarantee", "", Convert::ignored},
    {"delivery.report.only.error", "", Convert::ignored},
    {"message.copy.max.bytes", "", Convert::ignored},
    {"statistics.interval.ms", "", Convert::ignored},
    {"log_level", "", Convert::ignored},
    {"debug", "", Convert::ignored},
    {"broker.address.family", "", Convert::ignored},
    {"broker.address.ttl", "", Convert::ignored},
    {"api.version.request", "", Convert::ignored},
    {"broker.version.fallback", "", Convert::ignored},
    {"socket.timeout.ms", "", Convert::ignored},
    {"socket.keepalive.enable", "", Convert::ignored},
    {"socket.nagle.disable", "", Convert::ignored},
    {"socket.send.buffer.bytes", "", Convert::ignored},
    {"socket.receive.buffer.bytes", "", Convert::ignored},
};

// Spring Boot's own names, behind spring.kafka. and the part; what is not here has the words of Kafka's name
// divided by -.
constexpr Alias kSpring[] = {
    {"batch-size", "batch.size", Convert::bytes},
    {"buffer-memory", "buffer.memory", Convert::bytes},
    {"auto-commit-interval", "auto.commit.interval.ms", Convert::millis},
    {"fetch-max-wait", "fetch.max.wait.ms", Convert::millis},
    {"fetch-min-size", "fetch.min.bytes", Convert::bytes},
    {"heartbeat-interval", "heartbeat.interval.ms", Convert::millis},
    {"max-poll-interval", "max.poll.interval.ms", Convert::millis},
    {"transaction-id-prefix", "transactional.id"},
};

// Of the environment of an image, and of no server.
constexpr std::string_view kImageOnly[] = {
    "KAFKA_HEAP_OPTS",   "KAFKA_OPTS",       "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_JMX_",        "KAFKA_LOG4J",
    "KAFKA_GC_LOG_OPTS", "KAFKA_CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID",     "KAFKA_TOOLS_LOG4J", "CLUSTER_ID"};

bool is_env_name(std::string_view name) {
  return name == "CLUSTER_ID" ||
         (name.starts_with("KAFKA_") && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
          }));
}

// A dot is _, a dash __, an underscore ___ (the images of Apache and Confluent; Bitnami's has KAFKA_CFG_
// before it).
std::string name_in_environment(std::string_view name) {
  name.remove_prefix(std::string_view(name.starts_with("KAFKA_CFG_") ? "KAFKA_CFG_" : "KAFKA_").size());
  std::string kafka;
  for (std::size_t at = 0; at < name.size();) {
    if (name[at] != '_') {
      const char c = name[at++];
      kafka += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      continue;
    }
    std::size_t run = 0;
    while (at < name.size() && name[at] == '_' && run < 3) ++at, ++run;
    kafka += run == 1 ? '.' : run == 2 ? '-' : '_';
  }
  return kafka;
}

const Alias* find_alias(std::span<const Alias> aliases, std::string_view foreign) {
  const auto found = std::find_if(aliases.begin(), aliases.end(),
                                  [foreign](const Alias& alias) { return alias.foreign == foreign; });
  return found == aliases.end() ? nullptr : &*found;
}

// The value as Kafka has it; nothing: it cannot be read, and is left for Kafka's own check to refuse.
std::string converted(const Alias& alias, const std::string& value) {
  switch (alias.convert) {
    case Convert::kib_to_bytes: {
      const Scalar kib = read_scalar(value + "KiB", UnitKind::size);
      return kib.value ? std::to_string(*kib.value) : value;
    }
    case Convert::millis: {
      const bool is_bare = !value.empty() && value.find_first_not_of("0123456789.") == std::string::npos;
      const Scalar time = read_scalar(is_bare ? value + "ms" : value, UnitKind::duration);
      return time.value ? std::to_string((*time.value + 999'999) / 1'000'000) : value;
    }
    case Convert::bytes: {
      std::string binary = value;  // DataSize counts in 1024s
      const std::size_t unit = binary.find_first_of("KMGT");
      if (unit != std::string::npos && unit + 2 == binary.size() && binary.ends_with('B'))
        binary.insert(unit + 1, "i");
      const Scalar size = read_scalar(binary, UnitKind::size);
      return size.value ? std::to_string(*size.value) : value;
    }
    case Convert::reset:
      if (value == "smallest" || value == "beginning") return "earliest";
      if (value == "largest" || value == "end") return "latest";
      return value == "error" ? "none" : value;
    case Convert::as_it_is:
    case Convert::ignored: break;
  }
  return value;
}

// What becomes of one entry.
struct Renamed {
  std::string name;
  std::string value;
  bool dropped = false;
  std::string problem{};
  std::string hint{};
};

Renamed from_spring(std::string_view name, const std::string& value, Components components) {
  const auto strip = [&name](std::string_view prefix) {
    if (!name.starts_with(prefix)) return false;
    name.remove_prefix(prefix.size());
    return true;
  };
  const Renamed dropped{.name = {}, .value = {}, .dropped = true};
  strip("spring.");
  strip("kafka.");
  if (name == "listener.concurrency")
    return {
        .name = {}, .value = {}, .problem = "is a number of consumers", .hint = "write members: " + value};
  if (name == "listener.ack-mode")
    return {.name = {},
            .value = {},
            .problem = "says when offsets are committed",
            .hint = "write commit: after-batch, after-each or auto"};
  for (const std::string_view part :
       {"listener.", "template.", "admin.", "streams.", "ssl.", "jaas.", "retry."}) {
    if (name.starts_with(part)) return dropped;
  }
  const bool is_producers = strip("producer.");
  const bool is_consumers = !is_producers && strip("consumer.");
  if (is_producers && (components & kProducer) == 0) return dropped;
  if (is_consumers && (components & kConsumer) == 0) return dropped;
  if (strip("properties.")) {  // Spring's binder keeps the dots of [delivery.timeout.ms]
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return {std::string(name), value};
  }
  if (name.starts_with("ssl.") || name.starts_with("security.")) return dropped;
  if (const Alias* alias = find_alias(kSpring, name))
    return {std::string(alias->kafka), converted(*alias, value)};
  std::string kafka(name);
  std::replace(kafka.begin(), kafka.end(), '-', '.');
  return {std::move(kafka), value};
}

Renamed renamed(const Entry& entry, Components components, ClientLibrary library) {
  std::string_view name = entry.key;
  const std::string& value = entry.value.text;
  for (const std::string_view wrapper : {"spec.kafka.config.", "config.", "environment.", "env."}) {
    if (name.starts_with(wrapper)) name.remove_prefix(wrapper.size());
  }
  if (is_env_name(name)) {
    for (const std::string_view image : kImageOnly) {
      if (name.starts_with(image)) return {.name = {}, .value = {}, .dropped = true};
    }
    return {name_in_environment(name), value};
  }
  const bool is_client = (components & (kProducer | kConsumer)) != 0;
  if (!is_client) return {std::string(name), value};
  if (name.starts_with("spring.") || name.starts_with("producer.") || name.starts_with("consumer."))
    return from_spring(name, value, components);
  const Alias* alias = find_alias(kLibrdkafka, name);
  const bool only_librdkafka = (name == "partitioner" || name == "sticky.partitioning.linger.ms" ||
                                (alias != nullptr && alias->kafka != name)) &&
                               name != "message.max.bytes";
  if (library == ClientLibrary::java) {
    if (!only_librdkafka) return {std::string(name), value};
    const bool has_other = alias != nullptr && !alias->kafka.empty();
    return {.name = {},
            .value = {},
            .problem = "is a name of librdkafka's",
            .hint = std::string("write client: librdkafka beside config") +
                    (has_other ? ", or " + std::string(alias->kafka) + " for Kafka's own client" : "")};
  }
  if (alias == nullptr) return {std::string(name), value};
  if (alias->convert == Convert::ignored) return {.name = {}, .value = {}, .dropped = true};
  return {std::string(alias->kafka), converted(*alias, value)};
}

// A map where a property's value should be is a mistake, and no prefix.
bool is_whole_name(std::string_view name) {
  return std::any_of(properties().begin(), properties().end(),
                     [name](const Property& property) { return property.name == name; });
}

void flatten_into(std::vector<Entry>& flat, const std::string& prefix, const Entry& entry) {
  const std::string name = prefix.empty() ? entry.key : prefix + "." + entry.key;
  if (!entry.value.is_map() || entry.value.entries.empty() || is_whole_name(name)) {
    flat.push_back(Entry{name, entry.key_place, entry.value});
    return;
  }
  for (const Entry& inner : entry.value.entries) flatten_into(flat, name, inner);
}

struct Default {
  std::string_view name;
  Components components;
  std::string_view value;
};
// CONFIGURATION.md of librdkafka 2.x
constexpr Components kBoth = kProducer | kConsumer;
constexpr Default kLibrdkafkaDefaults[] = {
    {"batch.size", kProducer, "1000000"},
    {"buffer.memory", kProducer, "1073741824"},
    {"max.request.size", kProducer, "1000000"},
    {"enable.idempotence", kProducer, "false"},
    {"max.in.flight.requests.per.connection", kProducer, "1000000"},
    {"delivery.timeout.ms", kProducer, "300000"},
    {"partitioner", kProducer, "consistent_random"},
    {"sticky.partitioning.linger.ms", kProducer, "10"},
    {"partitioner.adaptive.partitioning.enable", kProducer, "false"},
    {"partition.assignment.strategy", kConsumer, "range,roundrobin"},
    {"isolation.level", kConsumer, "read_committed"},
    {"allow.auto.create.topics", kConsumer, "false"},
    {"reconnect.backoff.ms", kBoth, "100"},
    {"reconnect.backoff.max.ms", kBoth, "10000"},
    {"socket.connection.setup.timeout.ms", kBoth, "30000"},
};

}  // namespace

namespace {

const Value* map_below(const Value& value, std::string_view key) {
  const Value* below = value.is_map() ? value.find(key) : nullptr;
  return below != nullptr && below->is_map() ? below : nullptr;
}

// - KAFKA_NUM_PARTITIONS=3, or - {name: KAFKA_NUM_PARTITIONS, value: "3"}; anything else stays a list.
void take_environment(Value& value) {
  Value map = empty_map(value.place);
  for (const Value& item : value.items) {
    const Value* name = item.is_map() ? item.find("name") : nullptr;
    const Value* given = item.is_map() ? item.find("value") : nullptr;
    const std::size_t equals = item.is_scalar() ? item.text.find('=') : std::string::npos;
    if (name != nullptr && given != nullptr && name->is_scalar()) {
      map.entries.push_back(Entry{name->text, name->place, *given});
    } else if (equals != std::string::npos && equals > 0) {
      map.entries.push_back(
          Entry{item.text.substr(0, equals), item.place, scalar(item.text.substr(equals + 1), item.place)});
    } else {
      return;
    }
  }
  map.overlay = value.overlay;
  value = std::move(map);
}

}  // namespace

bool take_settings(Value& value) {
  for (const char* key : {"environment", "env"}) {  // the section's only entry, as it is cut out
    Value* list = value.is_map() ? value.find(key) : nullptr;
    if (list != nullptr && list->is_list()) take_environment(*list);
  }
  if (value.is_list() && !value.items.empty()) take_environment(value);
  const Value* spec = map_below(value, "spec");
  const Value* kafka = map_below(spec != nullptr ? *spec : value, "kafka");
  const Value* config = kafka == nullptr ? nullptr : map_below(*kafka, "config");
  if (config == nullptr) return false;
  const bool has_more =
      value.entries.size() > 1 || kafka->entries.size() > 1 || (spec != nullptr && spec->entries.size() > 1);
  Value settings = *config;
  settings.overlay = value.overlay;
  settings.place = value.place;
  value = std::move(settings);
  return has_more;
}

void flatten(Value& map) {
  const bool is_flat = std::none_of(map.entries.begin(), map.entries.end(),
                                    [](const Entry& entry) { return entry.value.is_map(); });
  if (is_flat) return;
  std::vector<Entry> flat;
  for (const Entry& entry : map.entries) flatten_into(flat, "", entry);
  map.entries = std::move(flat);
}

std::vector<Entry> use_kafka_names(Value& map, Components components, ClientLibrary library,
                                   const std::string& where, Report& report) {
  std::vector<Entry> kept, dropped;
  for (Entry& entry : map.entries) {
    Renamed now = renamed(entry, components, library);
    if (!now.problem.empty()) {
      report.error(entry.key_place, where + ": " + entry.key + " " + now.problem, now.hint);
      continue;
    }
    if (now.dropped) {
      dropped.push_back(std::move(entry));
      continue;
    }
    const auto same =
        std::find_if(kept.begin(), kept.end(), [&now](const Entry& other) { return other.key == now.name; });
    if (same != kept.end()) {
      report.error(entry.key_place,
                   where + ": " + entry.key + " is " + now.name + ", which is given already");
      continue;
    }
    entry.key = std::move(now.name);
    entry.value.text = std::move(now.value);
    kept.push_back(std::move(entry));
  }
  map.entries = std::move(kept);
  return dropped;
}

void use_librdkafka_defaults(Value& map, Components components) {
  // rd_kafka_conf_finalize: idempotence lowers what is not given to what it allows.
  const Value* idempotence = map.find("enable.idempotence");
  const std::string in_flight = "max.in.flight.requests.per.connection";
  if (idempotence != nullptr && idempotence->text == "true" && map.find(in_flight) == nullptr)
    map.set(in_flight, scalar("5"));
  for (const Default& one : kLibrdkafkaDefaults) {
    if ((one.components & components) == 0 || map.find(one.name) != nullptr) continue;
    map.set(std::string(one.name), scalar(std::string(one.value)));
  }
}

// ---- Who a server is

namespace {

// "1@host:9093,2@host:9093"; nothing: it is not written so.
std::optional<std::int64_t> voters_of(std::string_view text) {
  std::int64_t voters = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view voter = text.substr(0, end);
    const std::size_t at = voter.find('@');
    const std::size_t colon = voter.rfind(':');
    const bool is_voter = at != std::string_view::npos && at > 0 && colon != std::string_view::npos &&
                          colon > at &&
                          std::all_of(voter.begin(), voter.begin() + static_cast<std::ptrdiff_t>(at),
                                      [](char c) { return c >= '0' && c <= '9'; });
    if (!is_voter) return std::nullopt;
    ++voters;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return voters;
}

// Sets a key of the cluster that is not given; says that it disagrees with what is.
void agree(Value& cluster, const std::string& key, Value wanted, const std::string& shown,
           const Entry& property, Report& report) {
  const Value* given = cluster.find(key);
  if (given == nullptr) return cluster.set(key, std::move(wanted));
  const bool same = given->is_list()
                        ? given->items.size() == 1 && given->items[0].text == wanted.items[0].text
                        : given->text == wanted.text;
  if (same) return;
  report.error(property.value.place,
               "cluster.config: " + property.key + " (" + property.value.text + ") asks for " + key + ": " +
                   shown + ", and cluster." + key + " says otherwise",
               "leave one of them out");
}

}  // namespace

bool is_server_identity(std::string_view name) {
  return name == "process.roles" || name == "controller.quorum.voters" || name == "broker.rack";
}

void use_server_identity(Value& root, Report& report) {
  Value* cluster = root.find("cluster");
  const Value* config = cluster == nullptr || !cluster->is_map() ? nullptr : cluster->find("config");
  if (config == nullptr) return;
  const std::vector<Entry> properties = config->entries;  // the cluster's keys change below
  for (const Entry& property : properties) {
    const std::string& text = property.value.text;
    if (property.key == "process.roles" && !text.empty()) {
      const bool both =
          text.find("broker") != std::string::npos && text.find("controller") != std::string::npos;
      const Value* combined = cluster->find("combined");
      if (both || combined != nullptr)
        agree(*cluster, "combined", scalar(both ? "true" : "false"), both ? "true" : "false", property,
              report);
    }
    if (property.key == "controller.quorum.voters" && !text.empty()) {
      const std::optional<std::int64_t> voters = voters_of(text);
      if (!voters) {
        report.error(property.value.place, "cluster.config: controller.quorum.voters cannot be " + text,
                     "it is a list such as 1@host1:9093,2@host2:9093,3@host3:9093");
        continue;
      }
      agree(*cluster, "controllers", scalar(std::to_string(*voters)), std::to_string(*voters), property,
            report);
    }
    if (property.key == "broker.rack" && text != "null") {
      Value racks;
      racks.kind = Value::Kind::list;
      racks.items.push_back(scalar(text));
      agree(*cluster, "racks", std::move(racks), "[" + text + "] for all brokers", property, report);
    }
  }
}

}  // namespace sim::scenario
