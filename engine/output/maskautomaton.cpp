// SPDX-License-Identifier: MIT
#include "engine/output/maskautomaton.h"

namespace isol8 {

MaskAutomaton::MaskAutomaton(const QList<QByteArray>& patterns)
    : m_nodes(1)
{
    for (const QByteArray& pattern : patterns)
        insert(pattern);
    link();
}

void MaskAutomaton::insert(const QByteArray& pattern)
{
    State state = root;
    for (const char character : pattern) {
        const auto byte = quint8(character);
        State child = childOf(m_nodes[size_t(state)], byte);
        if (child == root) {
            child = State(m_nodes.size());
            Node node;
            node.nextSibling = m_nodes[size_t(state)].firstChild;
            node.depth = m_nodes[size_t(state)].depth + 1;
            node.byte = byte;
            m_nodes.push_back(node);
            m_nodes[size_t(state)].firstChild = child;
        }
        state = child;
    }
    m_nodes[size_t(state)].match = m_nodes[size_t(state)].depth;
}

void MaskAutomaton::link()
{
    m_nodes[root].row = 0;
    m_rows.emplace_back().fill(root);
    std::vector<State> queue;
    for (State child = m_nodes[root].firstChild; child != root;) {
        Node& node = m_nodes[size_t(child)];
        m_rows[0][node.byte] = child;
        queue.push_back(child);
        child = node.nextSibling;
    }
    for (const State child : queue) {
        Row row = m_rows[0];
        Node& node = m_nodes[size_t(child)];
        for (State next = node.firstChild; next != root; next = m_nodes[size_t(next)].nextSibling)
            row[m_nodes[size_t(next)].byte] = next;
        node.row = qint16(m_rows.size());
        node.open = node.firstChild == root ? 0 : node.depth;
        m_rows.push_back(row);
    }
    // Breadth first, so a node's fallback, which is less deep, is complete before the node is
    // reached.
    for (size_t at = 0; at < queue.size(); ++at) {
        const Node parent = m_nodes[size_t(queue[at])];
        for (State child = parent.firstChild; child != root;) {
            Node& node = m_nodes[size_t(child)];
            node.fallback = next(parent.fallback, node.byte);
            if (node.match == 0)
                node.match = m_nodes[size_t(node.fallback)].match;
            node.open = node.firstChild == root ? m_nodes[size_t(node.fallback)].open : node.depth;
            queue.push_back(child);
            child = node.nextSibling;
        }
    }
}

} // namespace isol8
