#include "importer/scenario_text.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "base/printable.h"
#include "importer/file_kinds.h"
#include "importer/settings.h"
#include "scenario/resolved.h"
#include "scenario/scenario.h"

namespace sim::importer {

namespace {

using scenario::text_in_yaml;

constexpr std::size_t kWidth = 110;

// In one line, as a comment may hold it.
std::string in_a_comment(std::string_view text) {
  std::string line = printable(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace(line.begin(), line.end(), '\r', ' ');
  std::replace(line.begin(), line.end(), '\t', ' ');
  return line;
}

std::string scenario_name(const std::string& file) {
  std::string name;
  for (const char c : file.empty() ? std::string("imported") : stem_of_file(file)) {
    const bool may_stand =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    name += may_stand ? c : '-';
  }
  name.erase(0, name.find_first_not_of('-'));
  return name.empty() ? "imported" : name.substr(0, 60);
}

class Writer {
 public:
  // What can be taken out of the plan if the loader refuses the line it made.
  struct Removable {
    Origin origin;
    std::string what;
    std::function<void()> remove;
  };

  Writer(Plan& plan, const std::string& file, const std::vector<std::string>& sources)
      : plan_(plan), file_(file), sources_(sources) {}

  void write() {
    head();
    cluster();
    topics();
    clients();
    end();
  }

  const std::string& text() const { return text_; }
  const Removable* removable_at(int line_number) const {
    const auto found = removable_.find(line_number);
    return found == removable_.end() ? nullptr : &found->second;
  }

 private:
  void line(const std::string& content, const std::string& remark = {}) {
    std::string full = content;
    if (!remark.empty())
      full += std::string(content.size() < 34 ? 34 - content.size() : 1, ' ') + "# " + in_a_comment(remark);
    text_ += full + "\n";
    ++line_number_;
  }

  void head() {
    const std::string name = file_.empty() ? "FILE" : file_;
    std::string from;
    for (const std::string& source : sources_) from += (from.empty() ? "" : ", ") + in_a_comment(source);
    line("# yaml-language-server: $schema=kraftsim-v1.schema.json");
    line("#");
    line("# Your cluster as kraftsim import has read it, from " + from + ".");
    line("#");
    line("#   kraftsim run " + in_a_comment(name));
    line("#   kraftsim check --resolve " + in_a_comment(name) +
         "     every setting, those left to their defaults too");
    line("#   kraftsim schema > kraftsim-v1.schema.json     and your editor completes and checks the file");
    line("#");
    line(
        "# Where it says \"assumed\", no file says it: put figures of your own there, above all how many "
        "orders come and");
    line("# how long a service needs for one.");
    line("schema: kraftsim/v1");
    line("name: " + text_in_yaml(scenario_name(file_)));
    line("about: " +
         text_in_yaml("As imported from " + from + ": does it keep up, and is every order handled?"));
    line("duration: " + std::to_string(plan_.first_order_s + 48) + "s", "assumed");
    line("warmup: " + std::to_string(plan_.first_order_s + 3) + "s");
    line("seed: 1");
  }

  void settings(const std::string& indent, std::vector<Setting>& all) {
    if (all.empty()) return;
    line(indent + "config:");
    for (const Setting& setting : all) {
      const std::string name = setting.name;
      removable_[line_number_ + 1] = {
          setting.origin, shown_setting(name, setting.value),
          [&all, name] { std::erase_if(all, [&name](const Setting& one) { return one.name == name; }); }};
      line(indent + "  " + name + ": " + text_in_yaml(setting.value),
           setting.origin.file.empty() ? "assumed" : place_of(setting.origin));
    }
  }

  void cluster() {
    line("");
    line("cluster:");
    line("  brokers: " + std::to_string(plan_.brokers), plan_.brokers_remark);
    line("  controllers: " + std::to_string(plan_.controllers), plan_.controllers_remark);
    if (plan_.combined) line("  combined: true", "process.roles=broker,controller");
    if (!plan_.kafka.empty()) line("  kafka: \"" + plan_.kafka + "\"", plan_.kafka_remark);
    if (!plan_.racks.empty()) {
      std::string racks;
      for (const std::string& rack : plan_.racks) racks += (racks.empty() ? "" : ", ") + text_in_yaml(rack);
      line("  racks: [" + racks + "]");
    }
    settings("  ", plan_.settings);
  }

  void topics() {
    line("");
    line("topics:");
    for (PlannedTopic& topic : plan_.topics) {
      const bool is_empty = topic.partitions == 0 && topic.replication_factor == 0 &&
                            topic.replicas.empty() && topic.settings.empty();
      line("  " + text_in_yaml(topic.name) + (is_empty ? ": {}" : ":"), topic.remark);
      if (topic.partitions != 0) line("    partitions: " + std::to_string(topic.partitions));
      if (topic.replication_factor != 0)
        line("    replication.factor: " + std::to_string(topic.replication_factor));
      replicas(topic);
      settings("    ", topic.settings);
    }
  }

  void replicas(PlannedTopic& topic) {
    if (topic.replicas.empty()) return;
    removable_[line_number_ + 1] = {topic.origin, topic.name + ": Replicas",
                                    [&topic] { topic.replicas.clear(); }};
    std::string content = "    replicas: [";
    for (std::size_t i = 0; i < topic.replicas.size(); ++i) {
      std::string brokers;
      for (const int broker : topic.replicas[i])
        brokers += (brokers.empty() ? "" : ", ") + std::to_string(broker);
      const std::string part = "[" + brokers + "]" + (i + 1 < topic.replicas.size() ? ", " : "]");
      if (content.size() + part.size() > kWidth) {
        while (content.ends_with(' ')) content.pop_back();
        line(content);
        content = "               ";
      }
      content += part;
    }
    line(content);
  }

  void clients() {
    line("");
    line("clients:");
    for (PlannedClient& client : plan_.clients) {
      line("  " + text_in_yaml(client.name) + ":", client.remark);
      if (client.produces) {
        line("    produces: " + text_in_yaml(client.topic));
        line("    arrivals: {poisson: " + std::to_string(client.orders_per_second) + "/s}", "assumed");
        line("    key: {uniform: {n: 100000}}", "assumed: 100 000 customers, equally busy");
        line("    record.size: 1KiB", "assumed");
        line("    start: " + std::to_string(plan_.first_order_s) + "s", "by then the groups have formed");
      } else {
        line("    consumes: " + text_in_yaml(client.topic));
        line("    group.id: " + text_in_yaml(client.group_id));
        line("    members: " + std::to_string(client.members));
        line("    service: {p50: 2ms, p99: 10ms}", "assumed");
        if (!client.commit.empty()) line("    commit: " + client.commit);
      }
      settings("    ", client.settings);
    }
  }

  void end() {
    line("");
    line("# What a run is held to: your own limits go here.");
    line("expect:");
    line("  - {id: durable,  metric: lost_orders, equals: 0}");
    line("  - {id: keeps-up, metric: lag, max: \"< 10s\"}");
    line("");
    line("# Then break something:");
    line("# faults:");
    line("#   - {name: crash, at: " + std::to_string(plan_.first_order_s + 18) +
         "s, for: 15s, kill: {target: \"leader(" + plan_.clients.front().topic + "-0)\"}}");
    if (plan_.left_out.empty()) return;
    line("");
    line("# Read, and not in this scenario:");
    for (const LeftOut& one : plan_.left_out)
      line("#   " + in_a_comment(place_of(one.origin) + "  " + one.what + ": " + one.reason));
  }

  Plan& plan_;
  const std::string& file_;
  const std::vector<std::string>& sources_;
  std::string text_;
  int line_number_ = 0;
  std::map<int, Removable> removable_;
};

void without_repeated(std::vector<LeftOut>& all) {
  std::vector<LeftOut> once;
  for (LeftOut& one : all) {
    const bool is_there = std::any_of(once.begin(), once.end(), [&one](const LeftOut& other) {
      return other.origin.file == one.origin.file && other.origin.line == one.origin.line &&
             other.what == one.what;
    });
    if (!is_there) once.push_back(std::move(one));
  }
  std::stable_sort(once.begin(), once.end(), [](const LeftOut& a, const LeftOut& b) {
    return std::pair(a.origin.file, a.origin.line) < std::pair(b.origin.file, b.origin.line);
  });
  all = std::move(once);
}

}  // namespace

std::string place_of(const Origin& origin) {
  return origin.line == 0 ? origin.file : origin.file + ":" + std::to_string(origin.line);
}

Result<Imported> write_scenario(Plan plan, const std::string& file, const std::vector<std::string>& sources) {
  constexpr int kMostAttempts = 200;
  const std::string name = file.empty() ? "the imported scenario" : file;
  for (int attempt = 0;; ++attempt) {
    without_repeated(plan.left_out);
    Writer writer(plan, file, sources);
    writer.write();
    const Result<scenario::Scenario> loaded = scenario::load_text(name, writer.text(), {});
    if (loaded) return Imported{writer.text(), std::move(plan)};
    bool was_removed = false;
    for (const Problem& problem : loaded.problems()) {
      const Writer::Removable* removable = problem.warning ? nullptr : writer.removable_at(problem.line);
      if (removable == nullptr) continue;
      plan.left_out.push_back({removable->origin, removable->what,
                               problem.message + (problem.hint.empty() ? "" : "; " + problem.hint)});
      removable->remove();
      was_removed = true;
    }
    if (!was_removed || attempt == kMostAttempts) return loaded.problems();
  }
}

}  // namespace sim::importer
