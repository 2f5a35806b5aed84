//! A thread's turn at one unit: which of its steps are to be done, and the account of those that are.

use super::ledger::Account;
use super::run::{Report, Search};
use super::scope::Scope;
use crate::error::Result;
use crate::results::{Emitter, Rank};
use crate::text::Token;

/// See the [module](self).
pub(super) struct Turn<'t, 'a> {
    scope: &'a Scope,
    search: &'a Search<'a>,
    origin: [Rank; 2],
    tokens: [Token; 2],
    number: u32,
    /// Steps that were done before; `None` if there is nothing left to do.
    begun: Option<u32>,
    /// Steps that are nodes; those after them are lines.
    nodes: u32,
    account: &'t mut Account<'a>,
    report: &'t mut Report<'a>,
}

impl<'t, 'a> Turn<'t, 'a> {
    pub(super) fn new(
        search: &'a Search<'a>,
        origin: [Rank; 2],
        account: &'t mut Account<'a>,
        report: &'t mut Report<'a>,
    ) -> Self {
        let tokens = origin.map(|r| search.ranks.token(r));
        let number = search.index.bigram(tokens[0], tokens[1]);
        let begun = number.and_then(|number| account.begun(number));
        let number = number.unwrap_or_default();
        Self { scope: &search.scope, search, origin, tokens, number, begun, nodes: 0, account, report }
    }

    pub(super) fn origin(&self) -> [Rank; 2] {
        self.origin
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_over(&self) -> bool {
        self.begun.is_none()
    }

    /// Whether the squares themselves are to be found.
    pub(super) fn has_squares(&self) -> bool {
        self.begun == Some(0) && self.scope.has_edge(self.tokens)
    }

    /// Whether the cubes over the `q`-th second edge are.
    pub(super) fn has_node(&self, q: u32, second: [Rank; 2]) -> bool {
        self.begun.is_some_and(|begun| begun <= q)
            && self.scope.has_node(self.tokens, second.map(|r| self.search.ranks.token(r)))
    }

    /// Whether any long line is.
    pub(super) fn has_lines(&self) -> bool {
        self.scope.has_edge(self.tokens)
    }

    /// Whether the `t`-th long line is.
    pub(super) fn has_line(&self, t: u32) -> bool {
        self.begun.is_some_and(|begun| begun <= self.nodes + t)
    }

    /// There are so many second edges.
    pub(super) fn set_nodes(&mut self, nodes: u32) {
        self.nodes = nodes;
    }

    /// Emits an ortho, and says now and then how many there are.
    pub(super) fn single(&mut self, out: &mut Emitter<'_>, dims: &[u32], cells: &[Rank]) -> Result<()> {
        self.report.single(out, dims, cells)
    }

    /// So much more of the work is done.
    pub(super) fn advance(&mut self, weight: u64, out: &Emitter<'_>) {
        self.report.advance(weight, out);
    }

    /// The `q`-th second edge is done.
    pub(super) fn node_done(&mut self, q: u32, weight: u64, out: &mut Emitter<'_>) -> Result<()> {
        self.report.advance(weight, out);
        self.account.step(self.number, q + 1, out)
    }

    /// The `t`-th long line is done, and all second edges.
    pub(super) fn line_done(&mut self, t: u32, out: &mut Emitter<'_>) -> Result<()> {
        self.report.advance(0, out);
        self.account.step(self.number, self.nodes + t + 1, out)
    }

    /// All is done.
    pub(super) fn finish(self, weight: u64, out: &mut Emitter<'_>) -> Result<()> {
        self.report.advance(weight, out);
        if self.begun.is_some() { self.account.finish(self.number, out) } else { Ok(()) }
    }
}
