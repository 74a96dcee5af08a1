"""The moves that searches are made of, each a small function over chains, trees and graphs."""
