#pragma once

#include <set>
#include <string>
#include <string_view>

#include "importer/inventory.h"

namespace sim::importer {

// Whether a line belongs to what kafka-topics --describe prints.
bool is_topic_line(std::string_view line);

// Reads what kafka-topics --describe printed (TopicCommand), of 2.x to 4.x:
//
//   Topic: orders  TopicId: ...  PartitionCount: 6  ReplicationFactor: 3  Configs: min.insync.replicas=2,...
//     Topic: orders  Partition: 0  Leader: 1  Replicas: 1,2,3  Isr: 1,2,3  Elr:  LastKnownElr:
//
// with tabs or blanks between the fields, and the partitions alone, as --under-replicated-partitions and the
// like print them. Adds the numbers of the lines that it has read to `taken`.
void read_described_topics(std::string_view text, const std::string& file, Inventory& inventory,
                           std::set<int>& taken);

}  // namespace sim::importer
