#include "report/why.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/human.h"
#include "judge/order_tale.h"
#include "report/export.h"
#include "report/words.h"

namespace sim::report {
namespace {

constexpr std::int64_t kShortlyBefore =
    1'000'000'000;  // ns before the order, in which its partition is watched
constexpr std::size_t kMostLines = 48;

std::int64_t number_in(const std::string& cell) {
  std::int64_t number = -1;
  std::from_chars(cell.data(), cell.data() + cell.size(), number);
  return number;
}

// A row of a table as its columns' texts, by name.
class Table {
 public:
  static Result<Table> open(const std::filesystem::path& file, std::vector<std::string> columns) {
    auto reader = CsvReader::open(file);
    if (!reader) return reader.problems();
    Table table(std::move(*reader));
    for (const std::string& name : columns) {
      const auto column = table.reader_.column(name);
      if (!column) return problem_with(file, "has no column " + name);
      table.columns_.push_back(*column);
    }
    return table;
  }
  bool next() { return reader_.next(); }
  const std::string& operator[](std::size_t column) const { return reader_.cells()[columns_[column]]; }

 private:
  explicit Table(CsvReader reader) : reader_(std::move(reader)) {}
  CsvReader reader_;
  std::vector<std::size_t> columns_;
};

struct FaultRow {
  std::string name, kind, touched;
  std::int64_t from = -1, to = -1;

  bool has_struck(const std::string& process) const {
    std::string rest = touched + ";";
    for (std::size_t end; (end = rest.find(';')) != std::string::npos; rest.erase(0, end + 1)) {
      if (rest.substr(0, end) == process) return true;
    }
    return false;
  }
};

struct VerdictRow {
  std::string word, service, cause;
  std::int64_t at = -1;
};

class Story {
 public:
  Story(OrderRow order, std::vector<FaultRow> faults, std::vector<VerdictRow> verdicts)
      : order_(std::move(order)), faults_(std::move(faults)), verdicts_(std::move(verdicts)) {
    until_ = std::max(order_.ended, order_.intended);
    for (const VerdictRow& verdict : verdicts_) until_ = std::max(until_, verdict.at);
    for (const OrderRow::Service& service : order_.services)
      until_ = std::max({until_, service.done, service.committed});
  }

  // One row of leadership.csv that is about the order's partition.
  void add_change(std::int64_t at, const std::string& event, const std::string& leader,
                  const std::string& leader_epoch, const std::string& isr, const std::string& offset,
                  const std::string& replica) {
    changes_.push_back({at, event, broker(leader), leader_epoch, isr, number_in(offset), broker(replica)});
    const bool is_in_time = at >= order_.intended - kShortlyBefore && at <= until_;
    if (event == "leader" && is_in_time) leaders_.push_back(broker(leader));
  }

  std::string text() {
    lines_ = tell();
    std::string text =
        "order " + std::to_string(order_.number) + " of " + order_.flow + ": " + order_.outcome;
    if (order_.ended >= 0) text += " after " + human_duration(order_.ended - order_.intended);
    if (order_.retries > 0)
      text += ", sent again " + std::to_string(order_.retries) + (order_.retries == 1 ? " time" : " times");
    text += "\n\n";
    leave_out_what_is_too_much();
    for (const judge::TaleLine& one : lines_) {
      text += std::string(one.is_decisive ? " * " : "   ") +
              padded_right(fixed(one.at / 1'000, 6) + " s", 16) +
              padded_right(
                  (one.at < order_.intended ? "-" : "+") + human_duration(std::abs(one.at - order_.intended)),
                  11) +
              one.what + "\n";
    }
    return text + "\n" + decisive();
  }

 private:
  static std::string broker(const std::string& id) {
    if (id.empty() || id == "-1") return "";
    return id.starts_with("broker") ? id : "broker-" + id;
  }
  std::string partition() const {
    return order_.topic.empty() ? "" : order_.topic + "-" + std::to_string(order_.partition);
  }

  std::vector<judge::TaleLine> tell() const {
    std::vector<judge::FaultStrike> strikes;
    for (const FaultRow& fault : faults_)
      strikes.push_back({fault.name, fault.kind, shortened(fault.touched), fault.from, fault.to});
    std::vector<judge::TaleLine> lines =
        judge::tell_order(facts(), strikes, changes_, order_.intended - kShortlyBefore, until_);
    for (const VerdictRow& verdict : verdicts_) {
      lines.push_back({verdict.at,
                       verdict.word + (verdict.service.empty() ? "" : " of " + verdict.service) +
                           (verdict.cause.empty() ? "" : ": " + verdict.cause),
                       true, true});
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const judge::TaleLine& a, const judge::TaleLine& b) { return a.at < b.at; });
    return lines;
  }

  judge::OrderFacts facts() const {
    judge::OrderFacts facts;
    facts.flow = order_.flow;
    facts.partition = partition();
    facts.leader = order_.leader;
    facts.isr = order_.isr;
    facts.error = order_.error;
    facts.intended = order_.intended;
    facts.accepted = order_.accepted;
    facts.batched = order_.batched;
    facts.sent = order_.sent;
    facts.received = order_.received;
    facts.appended = order_.appended;
    facts.high_watermark = order_.high_watermark;
    facts.acknowledged = order_.acknowledged;
    facts.failed = order_.failed;
    facts.offset = order_.offset;
    facts.batch_records = order_.batch_records;
    facts.retries = order_.retries;
    for (const OrderRow::Service& row : order_.services) {
      judge::OrderFacts::Service service;
      service.name = row.name;
      service.member = row.member;
      service.fetched = row.fetched;
      service.started = row.started;
      service.done = row.done;
      service.committed = row.committed;
      service.times = row.times;
      facts.services.push_back(std::move(service));
    }
    return facts;
  }

  static std::string shortened(std::string touched) {
    std::replace(touched.begin(), touched.end(), ';', ' ');
    return touched.size() > 60 ? touched.substr(0, 57) + "..." : touched;
  }

  // A page: what is decisive stays, the rest goes from the middle.
  void leave_out_what_is_too_much() {
    std::size_t left_out = 0;
    while (lines_.size() > kMostLines) {
      const auto middle = lines_.begin() + static_cast<std::ptrdiff_t>(lines_.size() / 2);
      auto least =
          std::find_if(middle, lines_.end(), [](const judge::TaleLine& one) { return !one.is_decisive; });
      if (least == lines_.end()) least = middle;
      lines_.erase(least);
      ++left_out;
    }
    if (left_out != 0) {
      const std::int64_t at = lines_[lines_.size() / 2].at;
      lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(lines_.size() / 2),
                    {at, "... " + std::to_string(left_out) + " more of these ...", true, false});
    }
  }

  // The fault that lasted, or had ended last, at an instant; those that touched this process first.
  const FaultRow* fault_at(std::int64_t at, const std::string& process) const {
    const FaultRow* found = nullptr;
    for (const FaultRow& fault : faults_) {
      if (fault.from < 0 || fault.from > at) continue;
      const bool is_better = found == nullptr || std::pair(fault.has_struck(process), fault.from) >
                                                     std::pair(found->has_struck(process), found->from);
      if (is_better) found = &fault;
    }
    return found;
  }
  std::string because_of(std::int64_t at, const std::string& process) const {
    const FaultRow* fault = fault_at(at, process);
    if (fault == nullptr) return "no fault had struck";
    return fault->name + " (" + fault->kind + " at " + human_duration(fault->from) +
           (fault->has_struck(process) ? ", it hit " + process : "") + ")";
  }

  // The longest of its stages.
  std::string longest_stage() const {
    std::vector<std::pair<std::string, std::int64_t>> stamps{
        {"the customer's click", order_.intended},
        {"the producer's accepting it", order_.accepted},
        {"its first being sent", order_.batched},
        {"its last being sent", order_.sent},
        {"the leader's append", order_.appended},
        {"the high watermark's passing it", order_.high_watermark}};
    for (const OrderRow::Service& service : order_.services) {
      if (service.done == order_.ended && service.done >= 0) {
        stamps.emplace_back(service.name + "'s beginning to work on it", service.started);
        stamps.emplace_back(service.name + "'s having done it", service.done);
      }
    }
    std::string text;
    std::int64_t longest = 0;
    std::pair<std::string, std::int64_t> before = stamps.front();
    for (const auto& stamp : stamps) {
      if (stamp.second < 0 || stamp.second < before.second) continue;
      if (stamp.second - before.second > longest) {
        longest = stamp.second - before.second;
        text = human_duration(longest) + " passed between " + before.first + " and " + stamp.first;
      }
      before = stamp;
    }
    return text;
  }

  std::string decisive() const {
    std::string text = "what was decisive\n";
    // Of what was never done, no stage is what kept it.
    if (const std::string stage = longest_stage(); order_.outcome == "fulfilled" && !stage.empty())
      text += "  " + stage + "\n";
    if (order_.retries > 0)
      text += "  it had to be sent again: " + because_of(order_.sent, order_.leader) + "\n";
    if (!leaders_.empty())
      text += "  " + partition() + " got a new leader, " + leaders_.back() + ": " +
              because_of(until_, order_.leader) + "\n";
    for (const VerdictRow& verdict : verdicts_) {
      text += "  " + verdict.word + (verdict.service.empty() ? "" : " of " + verdict.service) + ": " +
              (verdict.cause.empty() ? "no cause is known" : verdict.cause) +
              "; the last fault before: " + because_of(verdict.at, order_.leader) + "\n";
    }
    if (verdicts_.empty() && order_.retries == 0 && leaders_.empty())
      text += "  nothing went wrong with it\n";
    return text;
  }

  OrderRow order_;
  std::vector<FaultRow> faults_;
  std::vector<VerdictRow> verdicts_;
  std::vector<judge::PartitionChange> changes_;
  std::vector<judge::TaleLine> lines_;
  std::vector<std::string> leaders_;
  std::int64_t until_ = 0;
};

struct Named {
  std::string flow, order;
  VerdictRow verdict;
};

Result<std::vector<Named>> read_verdicts(const std::filesystem::path& run) {
  auto table = Table::open(run / "verdicts.csv", {"verdict", "t_ns", "flow", "order", "service", "cause"});
  if (!table) return table.problems();
  std::vector<Named> all;
  while (table->next()) {
    if ((*table)[3].empty()) continue;
    all.push_back(
        {(*table)[2], (*table)[3], {(*table)[0], (*table)[4], (*table)[5], number_in((*table)[1])}});
  }
  return all;
}

}  // namespace

Result<std::string> why_of(const std::filesystem::path& run, const std::string& which) {
  if (auto problem = check_run_folder(run)) return *problem;
  const auto verdicts = read_verdicts(run);
  if (!verdicts) return verdicts.problems();
  std::string wanted = which;
  if (which == "lost" || which == "duplicated") {
    const std::string word = which == "lost" ? "LOST" : "DUP";
    const auto first = std::find_if(verdicts->begin(), verdicts->end(),
                                    [&](const Named& one) { return one.verdict.word.starts_with(word); });
    if (first == verdicts->end())
      return problem_with(run, "no order was " + which + " in this run", "slowest names one in any case");
    wanted = first->flow + "/" + first->order;
  }
  Result<OrderRow> order = find_order(run, wanted);
  if (!order) return order.problems();
  std::vector<VerdictRow> own;
  for (const Named& one : *verdicts) {
    if (one.flow == order->flow && one.order == std::to_string(order->number)) own.push_back(one.verdict);
  }
  auto faults = Table::open(run / "faults.csv", {"name", "kind", "touched", "from_ns", "to_ns"});
  if (!faults) return faults.problems();
  std::vector<FaultRow> struck;
  while (faults->next()) {
    struck.push_back(
        {(*faults)[0], (*faults)[1], (*faults)[2], number_in((*faults)[3]), number_in((*faults)[4])});
  }
  auto leadership = Table::open(run / "leadership.csv", {"t_ns", "topic", "partition", "event", "leader",
                                                         "leader_epoch", "isr", "offset", "replica"});
  if (!leadership) return leadership.problems();
  const std::string topic = order->topic, partition = std::to_string(order->partition);
  Story story(std::move(*order), std::move(struck), std::move(own));
  while (leadership->next()) {
    const Table& row = *leadership;
    if (row[1] == topic && row[2] == partition)
      story.add_change(number_in(row[0]), row[3], row[4], row[5], row[6], row[7], row[8]);
  }
  return story.text();
}

}  // namespace sim::report
