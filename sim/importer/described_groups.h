#pragma once

#include <set>
#include <string>
#include <string_view>

#include "importer/inventory.h"

namespace sim::importer {

// Whether a line is the head of a table, or a remark, of kafka-consumer-groups --describe.
bool is_group_line(std::string_view line);

// Reads what kafka-consumer-groups --describe printed (ConsumerGroupCommand), of 2.4 to 4.x: the tables of
// offsets (with and without --verbose), of --members and of --state, of any number of groups, and the remarks
// between them. A cell is found below its column's name; where a value is wider than its column, by counting
// words. Adds the numbers of the lines that it has read to `taken`.
void read_described_groups(std::string_view text, const std::string& file, Inventory& inventory,
                           std::set<int>& taken);

}  // namespace sim::importer
