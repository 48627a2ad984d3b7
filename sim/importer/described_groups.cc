#include "importer/described_groups.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "importer/lines.h"
#include "importer/settings.h"

namespace sim::importer {

namespace {

constexpr std::string_view kNothing = "-";  // in a cell

struct Column {
  std::string_view name;
  std::size_t begin = 0;
};
using Columns = std::vector<Column>;

// The head of a table, column by column; empty: the line is none.
Columns columns_of(std::string_view line) {
  Columns columns;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t begin = line.find_first_not_of(" \t\r", at);
    if (begin == std::string_view::npos) break;
    at = std::min(line.find_first_of(" \t\r", begin), line.size());
    const std::string_view name = line.substr(begin, at - begin);
    if (name != "(ID)") columns.push_back({name, begin});  // of COORDINATOR (ID)
  }
  const auto has = [&columns](std::string_view name) {
    return std::any_of(columns.begin(), columns.end(),
                       [name](const Column& column) { return column.name == name; });
  };
  const bool is_head = has("GROUP") && columns.size() >= 4 &&
                       (has("CURRENT-OFFSET") || has("CONSUMER-ID") || has("COORDINATOR"));
  return is_head ? columns : Columns{};
}

// Words, of which "(1)" belongs to the one before it.
std::vector<std::string_view> cells_by_words(std::string_view line) {
  std::vector<std::string_view> cells = words_of(line);
  for (std::size_t i = 1; i < cells.size(); ++i) {
    if (cells[i].starts_with('(') && cells[i].ends_with(')')) {
      cells.erase(cells.begin() + static_cast<std::ptrdiff_t>(i));
      --i;
    }
  }
  return cells;
}

using Row = std::map<std::string_view, std::string>;

// The cells below the columns' names; nothing: the line does not fit them.
std::optional<Row> row_of(std::string_view line, const Columns& columns) {
  const std::vector<std::string_view> words = cells_by_words(line);
  const bool fits = std::all_of(columns.begin(), columns.end(), [line](const Column& column) {
    return column.begin == 0 || column.begin >= line.size() || line[column.begin - 1] == ' ';
  });
  Row row;
  if (fits && columns.front().begin == 0 && line.find('\t') == std::string_view::npos) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::size_t begin = std::min(columns[i].begin, line.size());
      const std::size_t end =
          i + 1 < columns.size() ? std::min(columns[i + 1].begin, line.size()) : line.size();
      row[columns[i].name] = std::string(without_blanks(line.substr(begin, end - begin)));
    }
    const bool is_whole =
        std::none_of(row.begin(), row.end(), [](const auto& cell) { return cell.second.empty(); });
    if (is_whole || words.size() < columns.size()) return row;
    row.clear();
  }
  if (words.size() != columns.size()) return std::nullopt;
  for (std::size_t i = 0; i < columns.size(); ++i) row[columns[i].name] = std::string(words[i]);
  return row;
}

std::optional<std::int64_t> offset_of(const std::string& text) {
  std::int64_t offset = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, bad] = std::from_chars(text.data(), end, offset);
  return !text.empty() && bad == std::errc{} && rest == end ? std::optional(offset) : std::nullopt;
}

// What stands between the first two quotation marks.
std::string quoted_name(std::string_view line) {
  const std::size_t begin = line.find('\'');
  const std::size_t end = begin == std::string_view::npos ? begin : line.find('\'', begin + 1);
  return end == std::string_view::npos ? std::string{} : std::string(line.substr(begin + 1, end - begin - 1));
}

bool is_remark(std::string_view line) {
  return line.find("onsumer group '") != std::string_view::npos &&
         (line.find("no active members") != std::string_view::npos ||
          line.find("is rebalancing") != std::string_view::npos ||
          line.find("does not exist") != std::string_view::npos);
}

class DescribedGroups {
 public:
  DescribedGroups(const std::string& file, Inventory& inventory, std::set<int>& taken)
      : file_(file), inventory_(inventory), taken_(taken) {}

  void line(std::string_view text, int number) {
    origin_ = {file_, number};
    if (without_blanks(text).empty()) {
      columns_.clear();
      return;
    }
    if (is_remark(text)) {
      remark(text);
    } else if (Columns columns = columns_of(text); !columns.empty()) {
      columns_ = std::move(columns);
    } else if (columns_.empty()) {
      return;
    } else if (const std::optional<Row> row = row_of(text, columns_)) {
      take(*row, text);
    } else {
      inventory_.leave_out(origin_, std::string(without_blanks(text)),
                           "has another number of columns than the head of the table");
    }
    taken_.insert(number);
  }

  void end() {
    for (const auto& [name, members] : members_) {
      Group& group = inventory_.groups[name];
      group.members = std::max(group.members.value_or(0), static_cast<int>(members.size()));
    }
  }

 private:
  static std::string cell(const Row& row, std::string_view column) {
    const auto found = row.find(column);
    return found == row.end() || found->second == kNothing ? std::string{} : found->second;
  }

  Group& group(const std::string& name) {
    Group& group = inventory_.groups[name];
    if (group.origin.line == 0) group.origin = origin_;
    return group;
  }

  void remark(std::string_view text) {
    const std::string name = quoted_name(text);
    if (text.find("does not exist") != std::string_view::npos) {
      inventory_.leave_out(origin_, std::string(without_blanks(text)), "there is nothing to play");
    } else if (text.find("no active members") != std::string_view::npos) {
      group(name).members = std::max(0, group(name).members.value_or(0));
    } else {
      inventory_.leave_out(origin_, std::string(without_blanks(text)),
                           "what is described is not settled: describe the group again when it is stable");
    }
  }

  void take(const Row& row, std::string_view text) {
    const std::string name = cell(row, "GROUP");
    if (name.empty()) {
      inventory_.leave_out(origin_, std::string(without_blanks(text)), "names no group");
      return;
    }
    if (row.contains("COORDINATOR")) {
      state(row, group(name));
    } else if (row.contains("CURRENT-OFFSET")) {
      offsets(row, name, text);
    } else {
      member(row, name);
    }
  }

  void state(const Row& row, Group& group) {
    group.assignor = cell(row, "ASSIGNMENT-STRATEGY");
    if (const auto members = whole_number(cell(row, "#MEMBERS"))) group.members = *members;
    const std::optional<std::int64_t> epoch = offset_of(cell(row, "GROUP-EPOCH"));
    const bool is_of_kip_848 = group.assignor == "uniform" || epoch.has_value();
    group.has_consumer_protocol = group.has_consumer_protocol || is_of_kip_848;
  }

  void offsets(const Row& row, const std::string& name, std::string_view text) {
    const std::string topic = cell(row, "TOPIC");
    const std::string member = cell(row, "CONSUMER-ID");
    Group& reader = group(name);
    if (!member.empty()) members_[name].insert(member);
    if (topic.empty()) return;  // a member without partitions
    const std::optional<int> partition = whole_number(cell(row, "PARTITION"));
    if (!partition) {
      inventory_.leave_out(origin_, std::string(without_blanks(text)), "its partition is no number");
      return;
    }
    GroupTopic& read = reader.topics[topic];
    if (!member.empty()) read.members.insert(member);
    read.partitions = std::max(read.partitions, *partition + 1);
    if (const auto end = offset_of(cell(row, "LOG-END-OFFSET"))) read.log_end_offsets[*partition] = *end;
    if (const auto lag = offset_of(cell(row, "LAG"))) read.lag += *lag;
    if (!reader.members) reader.members = 0;
  }

  // "orders:0,1;returns:2", and before 4.0 "orders(0,1), returns(2)".
  void assignment(std::string_view list, const std::string& member, Group& group) {
    while (true) {
      list.remove_prefix(std::min(list.find_first_not_of(",; "), list.size()));
      const std::size_t divider = list.find_first_of(":(");
      if (divider == std::string_view::npos) return;
      const std::string topic(list.substr(0, divider));
      const std::size_t end = std::min(list.find(list[divider] == '(' ? ')' : ';', divider), list.size());
      GroupTopic& read = group.topics[topic];
      read.members.insert(member);
      for (const std::string_view part : parts_of(list.substr(divider + 1, end - divider - 1), ',')) {
        const std::optional<int> partition = whole_number(std::string(without_blanks(part)));
        if (partition) read.partitions = std::max(read.partitions, *partition + 1);
      }
      list.remove_prefix(std::min(end + 1, list.size()));
    }
  }

  void member(const Row& row, const std::string& name) {
    Group& joined = group(name);
    const std::string member = cell(row, "CONSUMER-ID");
    if (!member.empty()) members_[name].insert(member);
    if (!joined.members) joined.members = 0;
    joined.has_static_members = joined.has_static_members || !cell(row, "GROUP-INSTANCE-ID").empty();
    if (offset_of(cell(row, "CURRENT-EPOCH"))) joined.has_consumer_protocol = true;
    assignment(cell(row, "CURRENT-ASSIGNMENT"), member, joined);
    assignment(cell(row, "ASSIGNMENT"), member, joined);
  }

  const std::string& file_;
  Inventory& inventory_;
  std::set<int>& taken_;
  Origin origin_;
  Columns columns_;  // of the table that is being read
  std::map<std::string, std::set<std::string>> members_;
};

}  // namespace

bool is_group_line(std::string_view line) {
  return is_remark(line) || !columns_of(line).empty();
}

void read_described_groups(std::string_view text, const std::string& file, Inventory& inventory,
                           std::set<int>& taken) {
  DescribedGroups groups(file, inventory, taken);
  int line_number = 0;
  for (const std::string_view line : lines_of(text)) groups.line(line, ++line_number);
  groups.end();
}

}  // namespace sim::importer
